package media

import (
	"bytes"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// edged is a grey picture with a bright strip at either end.
func edged(t *testing.T, w, h int) []byte {
	t.Helper()
	rgb := bytes.Repeat([]byte{90}, 3*w*h)
	for y := range h {
		for x := range w / 16 {
			for c := range 3 {
				rgb[3*(y*w+x)+c], rgb[3*(y*w+w-1-x)+c] = 250, 10
			}
		}
	}
	return jpegOf(t, rgb, w, h)
}

func near(v byte, want int) bool { return int(v) > want-12 && int(v) < want+12 }

// Each look has the pixels of its own box, in the order of the views, and a frame is
// decoded once for all of them.
func TestLooksShowTheirBoxes(t *testing.T) {
	const side, frames = 24, 2
	c := clipOf(64, 36, frames, edged(t, 64, 36))
	c.Views = []topics.View{topics.ViewSquash, topics.ViewZoom, topics.ViewTiles, topics.ViewCentre}
	white := oneColour(t, 40, 40, 255, 255, 255)
	c.Zoom = &topics.Zoom{Box: topics.Box{Left: .5, Top: .5, Width: .25, Height: .4}, Side: 40, JPEGs: [][]byte{white, white}}
	looks := Looks(c, side, pixels.Cropping)
	var names []topics.View
	for _, l := range looks {
		names = append(names, l.View)
		if err := l.Box.Check(); err != nil {
			t.Errorf("%s: %v", l.View, err)
		}
	}
	// The centre is the middle tile.
	if want := []topics.View{"squash", "zoom", "tiles", "tiles", "tiles"}; !slices.Equal(names, want) {
		t.Fatalf("looks at %v, want %v", names, want)
	}
	cache := NewFrameCache(1 << 20)
	d := clipDecoder(t, cache)
	rgb, shared, err := d.DecodeLooks(t.Context(), c, looks, frames, side)
	if err != nil {
		t.Fatal(err)
	}
	if shared != 1 || len(rgb) != len(looks)*frames*side*side*3 {
		t.Fatalf("%d bytes, %d frames shared", len(rgb), shared)
	}
	if squares := len(looks) - 1; cache.bytes != squares*side*side*3 { // of two frames that are the same
		t.Errorf("%d bytes are kept, want those of the %d squares that other clips may have", cache.bytes, squares)
	}
	for i, l := range looks {
		picture := rgb[(i*frames+1)*side*side*3:][:side*side*3]
		first, last := picture[0], picture[3*(side-1)]
		leftmost, rightmost := l.Box.Left == 0, l.Box.Left+l.Box.Width > .999
		switch {
		case l.View == topics.ViewZoom:
			if !near(first, 255) || !near(last, 255) {
				t.Errorf("the zoom has %d and %d", first, last)
			}
		case near(first, 250) != leftmost || near(last, 10) != rightmost:
			t.Errorf("%s of %v has %d and %d", l.View, l.Box, first, last)
		}
	}
}

// A model that squashes sees of each look what its filter makes of it, zooms included, and
// shares no cached frame with one that crops.
func TestLooksOfAModelThatSquashes(t *testing.T) {
	const side = 24
	c := clipOf(64, 36, 1, noise(t, 64, 36, 3))
	c.Views = []topics.View{topics.ViewSquash, topics.ViewZoom, topics.ViewCentre}
	c.Zoom = &topics.Zoom{Box: topics.Box{Left: .5, Top: .5, Width: .25, Height: .4}, Side: 40, JPEGs: [][]byte{noise(t, 40, 40, 4)}}
	d := clipDecoder(t, NewFrameCache(1<<20))
	decoded := func(data []byte, w, h int) []byte {
		rgb, err := d.jpeg.Frame(data, w, h, nil)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(rgb)
	}
	frame, zoom := decoded(c.Frames[0].JPEG, 64, 36), decoded(c.Zoom.JPEGs[0], 40, 40)
	for _, resize := range []pixels.Resize{pixels.Cropping, pixels.Squashing} {
		rgb, _, err := d.DecodeLooks(t.Context(), c, Looks(c, side, resize), 1, side)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			rgb   []byte
			w, h  int
			place pixels.Place
		}{{frame, 64, 36, pixels.Whole}, {zoom, 40, 40, pixels.Centre}, {frame, 64, 36, pixels.Centre}} {
			square := make([]byte, side*side*3)
			pixels.Square(want.rgb, want.w, want.h, side, resize.Of(want.place), square)
			if !slices.Equal(square, rgb[i*len(square):(i+1)*len(square)]) {
				t.Errorf("way %d: look %d differs", resize, i)
			}
		}
	}
}

// A scene in which nothing moves has no zoom, and a square picture only one square.
func TestLooksThatAreTheSameComeOnce(t *testing.T) {
	c := topics.Clip{Width: 36, Height: 36, Views: []topics.View{topics.ViewTiles, topics.ViewSquash, topics.ViewCentre, topics.ViewZoom}}
	if looks := Looks(c, 24, pixels.Cropping); len(looks) != 1 || looks[0].Box != (topics.Box{Width: 1, Height: 1}) {
		t.Errorf("%+v", looks)
	}
	if looks := Looks(topics.Clip{Width: 64, Height: 36}, 24, pixels.Cropping); len(looks) != 1 || looks[0].View != topics.ViewCentre {
		t.Errorf("without views: %+v", looks)
	}
	wide := topics.Clip{Width: 16, Height: 1, Views: c.Views, Zoom: &topics.Zoom{Box: topics.Box{Width: .1, Height: .1}}}
	const most = pixels.MaxTiles + 3
	if n := len(Looks(wide, 24, pixels.Cropping)); n > most || n < most-1 {
		t.Errorf("%d looks at the longest picture, at most %d are allowed", n, most)
	}
}
