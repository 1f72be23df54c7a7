//go:build !race

package framer

import (
	"testing"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Of two that move at the same time, each zone shows the one in it, and a zone in which
// nothing moves shows none. What a mask covers moves in no zone.
func TestZonesShowWhatMovesInThem(t *testing.T) {
	fence, left := topics.Polygon{{X: 0, Y: .1}, {X: .1, Y: .9}}, topics.Polygon{{X: 0, Y: 0}, {X: .4, Y: 0}, {X: .4, Y: 1}, {X: 0, Y: 1}}
	zones := map[string]topics.Polygon{"fence": fence, "left": left, "right": {{X: .6, Y: 0}, {X: 1, Y: 1}}, "sky": {{X: 0, Y: 0}, {X: 1, Y: .05}}}
	clip := func(masks ...topics.Polygon) (topics.Clip, map[string]*topics.Zoom) {
		s := newScene(t)
		of, err := s.s.Stream(topics.Camera{Name: "cam", URL: "x", Zones: zones, Masks: masks}, s.sent.send)
		if err != nil {
			t.Fatal(err)
		}
		of.Connected(media.StreamInfo{})
		one, other := figure(20, 150, 1), figure(560, 150, 2)
		s.s, s.paint = of, func(i int, set func(x, y int)) { one(i, set); other(i, set) }
		c, found := s.run(), map[string]*topics.Zoom{}
		for _, z := range c.Zones {
			found[z.Name] = z.Zoom
		}
		return c, found
	}
	c, found := clip()
	if c.Zoom != nil || len(c.Zones) != 4 || c.Zones[0].Area.String() != fence.String() {
		t.Fatalf("zoom %v, zones %+v", c.Zoom, c.Zones)
	}
	for name, x := range map[string]float64{"fence": 20, "left": 20, "right": 560} {
		z := found[name]
		if z == nil {
			t.Fatalf("%s shows nothing", name)
		}
		if from, to := z.Box.Left*sceneWidth, (z.Box.Left+z.Box.Width)*sceneWidth; from > x+1 || to < x+30 || to-from > 150 || len(z.JPEGs) != topics.ClipFrames {
			t.Errorf("%s shows %v to %v, and not what moves at %v", name, from, to, x)
		}
	}
	if found["sky"] != nil {
		t.Errorf("where nothing moves, %+v is shown", found["sky"].Box)
	}
	if _, masked := clip(left); masked["left"] != nil || masked["fence"] != nil || masked["right"] == nil {
		t.Errorf("with a mask: %v", masked)
	}
}
