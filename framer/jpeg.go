package framer

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/pixels"
	"github.com/frostwatch/frostwatch/ingest"
)

// maxSide is what readers of clips accept.
const maxSide = 8192

// encoder turns frames into small JPEGs. Its buffers are reused; it serves one
// goroutine.
type encoder struct {
	short, quality int
	rgb, small     []byte
	image          image.RGBA
	out            bytes.Buffer
}

// encode resizes and compresses a frame. The bytes are the caller's.
func (e *encoder) encode(f *ingest.Frame) (data []byte, w, h int, err error) {
	if short, long := min(f.Width, f.Height), max(f.Width, f.Height); short < 1 || float64(long)/float64(short)*float64(e.short) > maxSide {
		return nil, 0, 0, fmt.Errorf("a picture of %dx%d is too narrow", f.Width, f.Height)
	}
	if e.rgb, err = f.RGB(e.rgb); err != nil {
		return nil, 0, 0, err
	}
	small, w, h := pixels.ResizeShortSide(e.rgb, f.Width, f.Height, e.short, e.small)
	if w != f.Width || h != f.Height {
		e.small = small
	}
	e.fill(small, w, h)
	e.out.Reset()
	if err := jpeg.Encode(&e.out, &e.image, &jpeg.Options{Quality: e.quality}); err != nil {
		return nil, 0, 0, fmt.Errorf("write JPEG: %w", err)
	}
	return bytes.Clone(e.out.Bytes()), w, h, nil
}

// fill makes the picture an image.RGBA, which the JPEG encoder has a fast way
// for.
func (e *encoder) fill(rgb []byte, w, h int) {
	if e.image.Rect.Dx() != w || e.image.Rect.Dy() != h {
		e.image = *image.NewRGBA(image.Rect(0, 0, w, h))
	}
	pix := e.image.Pix
	for i, j := 0, 0; i < len(rgb); i, j = i+3, j+4 {
		p, q := pix[j:j+4:j+4], rgb[i:i+3:i+3]
		p[0], p[1], p[2], p[3] = q[0], q[1], q[2], math.MaxUint8
	}
}
