package infer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/frostwatch/frostwatch/infer/froster/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// maxFramePixels bounds what one JPEG may unfold to: a carried frame is a few
// hundred pixels high.
const maxFramePixels = 4 << 20

// decodeLoop decodes until the stage closes the queue.
func (s *Stage) decodeLoop(ctx context.Context) {
	for j := range s.decode {
		if j.err == nil && ctx.Err() == nil {
			began := s.Now()
			j.pixels, j.err = decodeClip(j.clip, j.term.Frames, j.term.Side)
			j.took = s.Now().Sub(began)
		}
		close(j.decoded)
	}
}

// decodeClip unfolds a clip's frames to packed RGB at the model's size,
// [frames, side, side, 3]: short side resized where it is not that already,
// then the centre crop.
func decodeClip(c topics.Clip, frames, side int) ([]byte, error) {
	if len(c.Frames) != frames {
		return nil, fmt.Errorf("decode clip %s: %d frames, the model sees %d", c.ID, len(c.Frames), frames)
	}
	out := make([]byte, 0, frames*side*side*3)
	for i, f := range c.Frames {
		rgb, err := decodeFrame(f.JPEG, c.Width, c.Height, side)
		if err != nil {
			return nil, fmt.Errorf("decode clip %s: frame %d: %w", c.ID, i, err)
		}
		out = append(out, rgb...)
	}
	return out, nil
}

func decodeFrame(data []byte, width, height, side int) ([]byte, error) {
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if head.Width != width || head.Height != height {
		return nil, fmt.Errorf("JPEG of %dx%d in a clip of %dx%d", head.Width, head.Height, width, height)
	}
	if width*height > maxFramePixels {
		return nil, fmt.Errorf("JPEG of %dx%d: more than %d pixels", width, height, maxFramePixels)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	ycc, ok := img.(*image.YCbCr)
	if !ok {
		return nil, errors.New("JPEG is not in colour (Y'CbCr)")
	}
	rgb, w, h := packRGB(ycc), width, height
	if min(w, h) != side {
		rgb, w, h = pixels.ResizeShortSide(rgb, w, h, side, nil)
	}
	return pixels.CenterCrop(rgb, w, h, side, nil), nil
}
