//go:build !race

package framer

import (
	"math"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Nothing moves where there is noise, where the light changes, or where the whole picture
// does.
func TestNoZoomWhereNothingMoves(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"a still room":          func(*scene) {},
		"clouds before the sun": func(s *scene) { s.light = func(i int) float64 { return 1 - .3*math.Sin(float64(i)/20) } },
		"something that stands": func(s *scene) { s.paint = figure(300, 150, 0) },
		"a speck": func(s *scene) {
			s.paint = func(i int, set func(x, y int)) { set(300+i, 100); set(301+i, 100) }
		},
		"the camera turns": func(s *scene) {
			still := slices.Clone(s.still)
			s.paint = func(i int, _ func(x, y int)) {
				for p := range s.still {
					s.still[p] = still[(p+3*11*i)%len(still)]
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, bothViews...)
			change(s)
			if c := s.run(); c.Zoom != nil {
				t.Errorf("zoom of %v", c.Zoom.Box)
			}
		})
	}
}

// Wherever something small moves, the square holds it, is larger than it and much smaller
// than the picture, and has the source's pixels.
func TestZoomHoldsWhatMoves(t *testing.T) {
	for name, at := range map[string][2]int{"left": {2, 200}, "right": {590, 40}, "middle": {300, 150}, "below": {400, 298}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, bothViews...)
			s.paint = figure(at[0], at[1], 1)
			c := s.run()
			if c.Zoom == nil {
				t.Fatal("no zoom")
			}
			b := c.Zoom.Box
			left, top := b.Left*sceneWidth, b.Top*sceneHeight
			right, bottom := left+b.Width*sceneWidth, top+b.Height*sceneHeight
			if left > float64(at[0])+1 || right < float64(at[0]+24+14) || top > float64(at[1])+1 || bottom < float64(at[1]+58) {
				t.Errorf("from %v,%v to %v,%v: what moves is at %v", left, top, right, bottom, at)
			}
			if math.Abs((right-left)-(bottom-top)) > 1e-6 || right-left < 63.9 || right-left > 150 {
				t.Errorf("%v by %v pixels", right-left, bottom-top)
			}
			if c.Zoom.Side != 64 || len(c.Zoom.JPEGs) != topics.ClipFrames || !slices.Equal(c.Views, bothViews) {
				t.Errorf("%d pictures of %d pixels of views %v", len(c.Zoom.JPEGs), c.Zoom.Side, c.Views)
			}
			s.checkPictures(c)
		})
	}
}

// Cameras without the view pay nothing for it and have clips as before; a camera's own
// views count.
func TestOnlyCamerasWithZoomHaveOne(t *testing.T) {
	for _, c := range []struct {
		views, own, want []topics.View
		zoom             bool
	}{
		{nil, nil, nil, false},
		{topics.DefaultViews(), nil, nil, false},
		{[]topics.View{topics.ViewTiles}, nil, []topics.View{topics.ViewTiles}, false},
		{bothViews, topics.DefaultViews(), nil, false},
		{nil, bothViews, bothViews, true},
	} {
		s := newScene(t, c.views...)
		stream, err := s.s.Stream(topics.Camera{Name: "cam", URL: "x", Views: c.own}, s.sent.send)
		if err != nil {
			t.Fatal(err)
		}
		s.s = stream
		s.s.Connected(media.StreamInfo{})
		s.paint = figure(300, 150, 1)
		if got := s.run(); !slices.Equal(got.Views, c.want) || (got.Zoom != nil) != c.zoom {
			t.Errorf("views %v, of the camera %v: clips have %v, and a zoom: %v", c.views, c.own, got.Views, got.Zoom != nil)
		}
	}
}

// Of two things that move, the one that moves more is shown, and of one that is wider
// than the picture is high, the busiest part.
func TestZoomShowsWhatMovesMost(t *testing.T) {
	s := newScene(t, bothViews...)
	small, large := figure(40, 60, 1), figure(500, 200, 3)
	s.paint = func(i int, set func(x, y int)) {
		small(i, set)
		large(i, func(x, y int) { set(x, y); set(x+20, y+40) })
	}
	if b := s.run().Zoom.Box; b.Left*sceneWidth < 300 || (b.Left+b.Width)*sceneWidth < 590 {
		t.Errorf("zoom of %v", b)
	}
	s = newScene(t, bothViews...)
	s.paint = func(i int, set func(x, y int)) {
		figure(10, 150, 24)(i, func(x, y int) {
			if x < sceneWidth {
				set(x, y)
			}
		})
	}
	if b := s.run().Zoom.Box; b.Height != 1 || math.Abs(b.Width-.5625) > .001 {
		t.Errorf("of somebody who crosses the picture, zoom of %v", b)
	}
}
