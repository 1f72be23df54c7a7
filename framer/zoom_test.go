package framer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

const sceneWidth, sceneHeight = 640, 360

// scene is a still room with the noise of a camera: of texture, so that edges are there.
type scene struct {
	t     *testing.T
	s     *Stream
	sent  *clips
	still []byte
	light func(i int) float64             // by frame; nil: 1
	paint func(i int, set func(x, y int)) // makes pixels white, by frame
}

func newScene(t *testing.T, views ...topics.View) *scene {
	t.Helper()
	c := &clips{}
	s, _ := testStream(t, c, func(o *Options) { o.Views, o.ShortSide, o.MaxDrift = views, 64, -1 })
	rgb := make([]byte, 3*sceneWidth*sceneHeight)
	for i := range rgb {
		x, y := i/3%sceneWidth, i/3/sceneWidth
		rgb[i] = byte(90 + 50*math.Sin(float64(x)/17) + 40*math.Cos(float64(y)/11))
	}
	s.Connected(media.StreamInfo{})
	return &scene{t: t, s: s, sent: c, still: rgb, paint: func(int, func(x, y int)) {}}
}

// run shows a window's length of frames, and returns its clip.
func (s *scene) run() topics.Clip {
	s.t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 66 {
		at := time.Duration(i) * time.Second / 15
		light := 1.0
		if s.light != nil {
			light = s.light(i)
		}
		err := s.s.Frame(s.t.Context(), &media.Frame{
			PTS: at, Until: at + tick, Arrived: time.Unix(1_700_000_000, 0).Add(at), Width: sceneWidth, Height: sceneHeight,
			RGB: func([]byte) ([]byte, error) {
				out := slices.Clone(s.still)
				s.paint(i, func(x, y int) {
					for c := range 3 {
						out[3*(y*sceneWidth+x)+c] = 230
					}
				})
				for k := range out {
					out[k] = byte(min(max(light*float64(out[k])+4*random.NormFloat64(), 0), 255))
				}
				return out, nil
			},
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	publish(s.s)
	if len(s.sent.all) == 0 {
		s.t.Fatal("no clip")
	}
	return s.sent.all[0]
}

// figure is something of 24x60 pixels that moves by steps pixels a frame.
func figure(x, y, steps int) func(i int, set func(x, y int)) {
	return func(i int, set func(x, y int)) {
		for p := range 24 * 60 {
			set(x+p%24+i*steps/4, y+p/24)
		}
	}
}

var bothViews = []topics.View{topics.ViewCentre, topics.ViewZoom} //nolint:gochecknoglobals // of tests

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

// checkPictures checks that each picture of a zoom is its own frame's part of the scene.
func (s *scene) checkPictures(c topics.Clip) {
	s.t.Helper()
	d, err := jpeg.NewDecoder()
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	z := c.Zoom
	scale := z.Box.Width * sceneWidth / float64(z.Side)
	for i, data := range z.JPEGs {
		got, err := d.Frame(data, z.Side, z.Side, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		want := slices.Clone(s.still)
		s.paint(int(math.Round(c.Frames[i].Stream.Seconds()*15)), func(x, y int) {
			for c := range 3 {
				want[3*(y*sceneWidth+x)+c] = 230
			}
		})
		apart, n := 0.0, z.Side*z.Side
		for p := range n {
			x := int(z.Box.Left*sceneWidth + (float64(p%z.Side)+.5)*scale)
			y := int(z.Box.Top*sceneHeight + (float64(p/z.Side)+.5)*scale)
			apart += math.Abs(float64(got[3*p])-float64(want[3*(y*sceneWidth+x)])) / float64(n)
		}
		if apart > 9 {
			s.t.Errorf("picture %d is %v levels from its frame", i, apart)
		}
	}
}

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
