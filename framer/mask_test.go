package framer

import (
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// What a camera's record masks is in no picture of its clips, and what moves there draws no
// zoom; what moves beside it does.
func TestMaskedPartsAreInNoClip(t *testing.T) {
	walks := func(masks ...topics.Polygon) topics.Clip {
		s := newScene(t, bothViews...)
		masked, err := s.s.Stream(topics.Camera{Name: "cam", URL: "x", Masks: masks}, s.sent.send)
		if err != nil {
			t.Fatal(err)
		}
		masked.Connected(media.StreamInfo{})
		s.s, s.paint = masked, figure(100, 100, 4)
		return s.run()
	}
	left := topics.Polygon{{X: 0, Y: 0}, {X: .5, Y: 1}}
	right := topics.Polygon{{X: .5, Y: 0}, {X: 1, Y: 1}}
	if seen := walks(); seen.Zoom == nil {
		t.Fatal("nothing moves without a mask")
	}
	if beside := walks(right); beside.Zoom == nil {
		t.Error("what moves beside a mask draws no zoom")
	}
	clip := walks(left)
	if clip.Zoom != nil {
		t.Errorf("what moves in a mask draws a zoom: %+v", clip.Zoom.Box)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, f := range clip.Frames {
		rgb, err := d.Frame(f.JPEG, clip.Width, clip.Height, nil)
		if err != nil {
			t.Fatal(err)
		}
		luma := func(x int) byte { return rgb[3*(clip.Height/2*clip.Width+x)+1] }
		for x := range clip.Width/2 - 2 {
			if v := luma(x); v < 110 || v > 124 {
				t.Fatalf("picture %d: %d at %d: the mask is grey", i, v, x)
			}
		}
		var shown []byte
		for x := clip.Width/2 + 2; x < clip.Width; x++ {
			shown = append(shown, luma(x))
		}
		if slices.Max(shown)-slices.Min(shown) < 50 {
			t.Fatalf("picture %d shows nothing beside the mask", i)
		}
	}
}
