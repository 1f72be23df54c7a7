package media

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// Look is one square of a clip's picture that a model is to see.
type Look struct {
	View  topics.View
	Box   topics.Box
	Zone  int          // of a zone's zoom: 1 and its index in the clip's zones; else 0
	place pixels.Place // of a zoom its centre, which is all of it
}

// Looks are the squares that a model with pictures of that side, made in that way, sees of a
// clip, in the order of the clip's views. A square of two views comes once. There is at least one.
func Looks(c topics.Clip, side int, resize pixels.Resize) (out []Look) {
	views := c.Views
	if len(views) == 0 {
		views = topics.DefaultViews()
	}
	seen := map[topics.Box]bool{}
	add := func(v topics.View, box topics.Box, p pixels.Place) {
		if !seen[box] {
			seen[box] = true
			out = append(out, Look{View: v, Box: box, place: p})
		}
	}
	for _, v := range views {
		if v == topics.ViewZoom {
			if c.Zoom != nil {
				add(v, c.Zoom.Box, resize.Of(pixels.Centre))
			}
			continue
		}
		for _, p := range placesOf(v, c.Width, c.Height) {
			p = resize.Of(p)
			left, top, width, height := p.Part(c.Width, c.Height, side)
			add(v, topics.Box{Left: left, Top: top, Width: width, Height: height}, p)
		}
	}
	return out
}

// ZoneLooks are the zooms of those of a clip's zones that are wanted, where something moves
// in them.
func ZoneLooks(c topics.Clip, resize pixels.Resize, wanted func(zone string) bool) (out []Look) {
	for i, z := range c.Zones {
		if z.Zoom != nil && wanted(z.Name) {
			out = append(out, Look{View: topics.ViewZoom, Box: z.Zoom.Box, Zone: i + 1, place: resize.Of(pixels.Centre)})
		}
	}
	return out
}

// zoomOf are the pictures of a look that is a zoom.
func (l Look) zoomOf(c *topics.Clip) *topics.Zoom {
	if l.Zone > 0 {
		return c.Zones[l.Zone-1].Zoom
	}
	return c.Zoom
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
// side, 3]. looks are those of the clip for that side, at least one of them no zoom; shared
// is as of Decode, without zooms.
func (d *ClipDecoder) DecodeLooks(ctx context.Context, c topics.Clip, looks []Look, frames, side int) (rgb []byte, shared int, err error) {
	if err := checkCost(c, View{Frames: frames, Side: side}); err != nil {
		return nil, 0, fmt.Errorf("decode clip %s: %w", c.ID, err)
	}
	rgb = make([]byte, len(looks)*frames*side*side*3)
	if shared, err = d.DecodeWanted(ctx, c, looks, frames, side, all(rgb, frames, side)); err != nil {
		return nil, 0, err
	}
	return rgb, shared, nil
}

// decodeZoom decodes what is wanted of a zoom's pictures. No other clip has the same: in the
// cache they would only take up room.
func (d *ClipDecoder) decodeZoom(ctx context.Context, id string, z *topics.Zoom, v View, want Wanted) error {
	zoomed := topics.Clip{ID: id, Width: z.Side, Height: z.Side}
	for _, j := range z.JPEGs {
		zoomed.Frames = append(zoomed.Frames, topics.ClipFrame{JPEG: j})
	}
	alone := &ClipDecoder{jpeg: d.jpeg, frames: NewFrameCache(0), rgb: d.rgb}
	_, err := alone.decodeWanted(ctx, zoomed, v, want)
	return err
}
