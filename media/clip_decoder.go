package media

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// maxClipPixels bounds what all frames of a clip decode to: sixteen frames
	// of the largest size.
	maxClipPixels = 16 * topics.MaxFramePixels
	// keptBuffer is the largest buffer that a decoder keeps from one clip to the
	// next: enough for frames of 720 lines. One large clip must not cost its
	// memory for ever.
	keptBuffer = 4 << 20
)

// ClipDecoder decodes the frames of clips for a model. It serves one goroutine
// and is to be closed.
type ClipDecoder struct {
	jpeg   *jpeg.Decoder
	frames *FrameCache
	rgb    []byte // the frame being decoded; reused
}

// NewClipDecoder makes a decoder. Decoders with the same cache decode only once
// a frame that their clips share; nil: no frames are shared.
func NewClipDecoder(frames *FrameCache) (*ClipDecoder, error) {
	if frames == nil {
		frames = NewFrameCache(0)
	}
	j, err := jpeg.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &ClipDecoder{jpeg: j, frames: frames}, nil
}

// Close frees the decoder's memory.
func (d *ClipDecoder) Close() { d.jpeg.Close() }

// View is what a model sees of a clip.
type View struct {
	Frames int            // of one clip
	Side   int            // of the model's square picture, pixels
	Places []pixels.Place // of the squares; none: the centre
}

func (v View) places() []pixels.Place {
	if len(v.Places) == 0 {
		return []pixels.Place{pixels.Centre}
	}
	return v.Places
}

// Decode returns a clip's frames as packed RGB of the view, [places, frames, side,
// side, 3]: the short side resized to the view's side, unless it has it
// already, then cropped. Each frame is decoded once, however many places there are.
// shared is how many frames were found in the cache and
// not decoded again. What a frame costs is known from its header and checked
// before it is decoded, so that a hostile clip is an error and takes neither
// memory nor time. ctx is checked between two frames.
func (d *ClipDecoder) Decode(ctx context.Context, c topics.Clip, v View) (rgb []byte, shared int, err error) {
	if err := checkCost(c, v); err != nil {
		return nil, 0, fmt.Errorf("decode clip %s: %w", c.ID, err)
	}
	out := make([]byte, len(v.places())*v.Frames*v.Side*v.Side*3)
	if shared, err = d.decodeWanted(ctx, c, v, all(out, v.Frames, v.Side)); err != nil {
		return nil, 0, err
	}
	return out, shared, nil
}

// squares puts the squares of one frame into what into gives for each place, unless that is
// nil. cached is whether none had to be decoded.
func (d *ClipDecoder) squares(data []byte, k FrameKey, places []pixels.Place, into func(p int, k FrameKey) []byte) (cached bool, err error) {
	cached = true
	for p, place := range places {
		k.place = place
		out := into(p, k)
		if out == nil || d.frames.get(k, out) {
			continue
		}
		if cached {
			if d.rgb, err = d.jpeg.Frame(data, k.width, k.height, d.rgb); err != nil {
				return false, err
			}
			cached = false
		}
		pixels.Square(d.rgb, k.width, k.height, k.side, place, out)
		d.frames.put(k, out)
	}
	return cached, nil
}

// checkCost refuses a clip whose fields say that it is too large. jpeg.Frame
// then refuses a frame that differs from what its clip says.
func checkCost(c topics.Clip, v View) error {
	if len(c.Frames) != v.Frames {
		return fmt.Errorf("%d frames, the model sees %d", len(c.Frames), v.Frames)
	}
	// FrameEncoder refuses the same, so no clip of ours is lost by it.
	if err := topics.CheckFrameSize(c.Width, c.Height); err != nil {
		return err
	}
	if all := c.Width * c.Height * v.Frames; all > maxClipPixels {
		return fmt.Errorf("%d frames of %dx%d: more than %d pixels in all", v.Frames, c.Width, c.Height, maxClipPixels)
	}
	return nil
}

func (d *ClipDecoder) giveBack() {
	if cap(d.rgb) > keptBuffer {
		d.rgb = nil
	}
}
