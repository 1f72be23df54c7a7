package media

import (
	"context"

	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// Look is one square of a clip's picture that a model is to see.
type Look struct {
	View  topics.View
	Box   topics.Box
	place pixels.Place // not of the zoom, which is a square already
}

// Looks are the squares that a model with pictures of that side sees of a clip, in the
// order of the clip's views. A square of two views comes once. There is at least one.
func Looks(c topics.Clip, side int) (out []Look) {
	views := c.Views
	if len(views) == 0 {
		views = topics.DefaultViews()
	}
	seen := map[topics.Box]bool{}
	add := func(v topics.View, box topics.Box, p pixels.Place) {
		if !seen[box] {
			seen[box] = true
			out = append(out, Look{v, box, p})
		}
	}
	for _, v := range views {
		if v == topics.ViewZoom {
			if c.Zoom != nil {
				add(v, c.Zoom.Box, pixels.Centre)
			}
			continue
		}
		for _, p := range placesOf(v, c.Width, c.Height) {
			left, top, width, height := p.Part(c.Width, c.Height, side)
			add(v, topics.Box{Left: left, Top: top, Width: width, Height: height}, p)
		}
	}
	return out
}

func placesOf(v topics.View, w, h int) []pixels.Place {
	switch v {
	case topics.ViewTiles:
		return pixels.Tiles(w, h)
	case topics.ViewSquash:
		return []pixels.Place{pixels.Whole}
	}
	return []pixels.Place{pixels.Centre}
}

// DecodeLooks returns what a model sees of a clip, packed RGB of [looks, frames, side,
// side, 3]. looks are those of the clip for that side; shared is as of Decode, without
// the zoom.
func (d *ClipDecoder) DecodeLooks(ctx context.Context, c topics.Clip, looks []Look, frames, side int) (rgb []byte, shared int, err error) {
	v, zooms := View{Frames: frames, Side: side}, 0
	for _, l := range looks {
		if l.View == topics.ViewZoom {
			zooms++
			continue
		}
		v.Places = append(v.Places, l.place)
	}
	if rgb, shared, err = d.Decode(ctx, c, v); err != nil || zooms == 0 {
		return rgb, shared, err
	}
	zoomed := topics.Clip{ID: c.ID, Width: c.Zoom.Side, Height: c.Zoom.Side}
	for _, j := range c.Zoom.JPEGs {
		zoomed.Frames = append(zoomed.Frames, topics.ClipFrame{JPEG: j})
	}
	// No other clip has the same pictures: in the cache they would only take up room.
	alone := &ClipDecoder{jpeg: d.jpeg, frames: NewFrameCache(0), rgb: d.rgb}
	more, _, err := alone.Decode(ctx, zoomed, View{Frames: frames, Side: side})
	if err != nil {
		return nil, 0, err
	}
	return inOrder(looks, rgb, more), shared, nil
}

// inOrder puts the zoom where it is among the looks.
func inOrder(looks []Look, rgb, zoom []byte) []byte {
	out := make([]byte, 0, len(rgb)+len(zoom))
	for _, l := range looks {
		if l.View == topics.ViewZoom {
			out = append(out, zoom...)
			continue
		}
		out, rgb = append(out, rgb[:len(zoom)]...), rgb[len(zoom):]
	}
	return out
}
