package infer

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// decodeLoop decodes until the stage closes the queue.
func (s *Stage) decodeLoop(ctx context.Context, d *Decoder) {
	for j := range s.decode {
		if j.err == nil && ctx.Err() == nil {
			began := s.Now()
			j.pixels, j.err = d.Clip(j.clip, j.term.Frames, j.term.Side, pixels.Centre)
			j.took = s.Now().Sub(began)
		}
		close(j.decoded)
	}
}

// Decoder unfolds clips' frames. It serves one goroutine and is to be closed.
type Decoder struct {
	jpeg         *jpeg.Decoder
	frames       *frameCache // shared with other decoders
	rgb, resized []byte      // reused
}

// NewDecoder is for clips that share no frames.
func NewDecoder() (*Decoder, error) { return newDecoder(newFrameCache(0)) }

func newDecoder(frames *frameCache) (*Decoder, error) {
	j, err := jpeg.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Decoder{jpeg: j, frames: frames}, nil
}

// Close frees what it holds.
func (d *Decoder) Close() { d.jpeg.Close() }

// Clip unfolds a clip's frames to packed RGB at the model's size, [frames, side,
// side, 3]: short side resized where it is not that already, then the crop,
// which a camera's clips have in the centre. A frame that an earlier clip had as
// well is not decoded again.
func (d *Decoder) Clip(c topics.Clip, frames, side int, place pixels.Place) ([]byte, error) {
	if len(c.Frames) != frames {
		return nil, fmt.Errorf("decode clip %s: %d frames, the model sees %d", c.ID, len(c.Frames), frames)
	}
	size := side * side * 3
	out := make([]byte, frames*size)
	for i, f := range c.Frames {
		into := out[i*size : (i+1)*size : (i+1)*size]
		key := frameKey{sha256.Sum256(f.JPEG), c.Width, c.Height, side, place}
		if d.frames.get(key, into) {
			continue
		}
		if err := d.frame(f.JPEG, key, into); err != nil {
			return nil, fmt.Errorf("decode clip %s: frame %d: %w", c.ID, i, err)
		}
		d.frames.put(key, into)
	}
	return out, nil
}

func (d *Decoder) frame(data []byte, k frameKey, into []byte) error {
	rgb, err := d.jpeg.Frame(data, k.width, k.height, d.rgb)
	if err != nil {
		return err
	}
	d.rgb = rgb
	w, h := k.width, k.height
	if min(w, h) != k.side {
		rgb, w, h = pixels.ResizeShortSide(rgb, w, h, k.side, d.resized)
		d.resized = rgb
	}
	pixels.Crop(rgb, w, h, k.side, k.place, into)
	return nil
}
