package media

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// FrameKey identifies a square of a frame by the frame's content, so that no record can pass
// off other pixels as that frame, and by what it is decoded to. Clips whose frames have equal
// keys show a model the same.
type FrameKey struct {
	jpeg                [sha256.Size]byte
	width, height, side int
	place               pixels.Place
}

// Wanted is asked once for each frame of each look of a clip, by their indices and by what
// identifies the square. It returns the memory of side·side·3 bytes that gets its pixels,
// packed RGB, or nil where they aren't needed.
type Wanted func(look, frame int, key FrameKey) []byte

// DecodeWanted decodes of a clip what is wanted of its looks, as DecodeLooks does all of
// them. A frame of which nothing is wanted is neither decoded nor looked at: who wants
// nothing knows the key, and so that the same bytes were decoded before. shared is as of
// Decode, without zooms.
func (d *ClipDecoder) DecodeWanted(ctx context.Context, c topics.Clip, looks []Look, frames, side int, want Wanted) (shared int, err error) {
	v, at := View{Frames: frames, Side: side}, []int{}
	for i, l := range looks {
		if l.View != topics.ViewZoom {
			v.Places, at = append(v.Places, l.place), append(at, i)
		}
	}
	if len(at) > 0 {
		if shared, err = d.decodeWanted(ctx, c, v, func(p, f int, k FrameKey) []byte { return want(at[p], f, k) }); err != nil {
			return 0, err
		}
	}
	for i, l := range looks {
		if l.View != topics.ViewZoom {
			continue
		}
		if err := d.decodeZoom(ctx, c.ID, l.zoomOf(&c), View{Frames: frames, Side: side, Places: []pixels.Place{l.place}}, func(_, f int, k FrameKey) []byte { return want(i, f, k) }); err != nil {
			return 0, err
		}
	}
	return shared, nil
}

// decodeWanted decodes the places of a view.
func (d *ClipDecoder) decodeWanted(ctx context.Context, c topics.Clip, v View, want Wanted) (shared int, err error) {
	if err := checkCost(c, v); err != nil {
		return 0, fmt.Errorf("decode clip %s: %w", c.ID, err)
	}
	defer d.giveBack()
	places := v.places()
	for i, f := range c.Frames {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		cached, err := d.squares(f.JPEG, FrameKey{sha256.Sum256(f.JPEG), c.Width, c.Height, v.Side, 0}, places, func(p int, k FrameKey) []byte { return want(p, i, k) })
		if err != nil {
			return 0, fmt.Errorf("decode clip %s: frame %d: %w", c.ID, i, err)
		}
		if cached {
			shared++
		}
	}
	return shared, nil
}

// all wants everything, into memory of [looks, frames, side, side, 3].
func all(out []byte, frames, side int) Wanted {
	size := side * side * 3
	return func(look, frame int, _ FrameKey) []byte {
		at := (look*frames + frame) * size
		return out[at : at+size : at+size]
	}
}
