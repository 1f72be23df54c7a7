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
