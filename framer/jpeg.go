package framer

import (
	"fmt"

	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// maxSide is what readers of clips accept.
const maxSide = 8192

// Encoder turns frames into small JPEGs. Its buffers are reused; it serves one
// goroutine.
type Encoder struct {
	short, quality int
	jpeg           *jpeg.Encoder
	rgb, small     []byte
}

// NewEncoder makes one for a short side in pixels and a quality of 1 to 100.
func NewEncoder(short, quality int) (*Encoder, error) {
	j, err := jpeg.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &Encoder{short: short, quality: quality, jpeg: j}, nil
}

// Encode resizes and compresses a frame. The bytes are the caller's.
func (e *Encoder) Encode(f *ingest.Frame) (data []byte, w, h int, err error) {
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
	// Whole colours: at equal size they lose less of the embedding than a higher
	// quality does with a quarter of them (docs/benchmarks.md, "What JPEG costs").
	if data, err = e.jpeg.Encode(small, w, h, e.quality, jpeg.Full); err != nil {
		return nil, 0, 0, err
	}
	return data, w, h, nil
}
