package framer

import (
	"bytes"
	"errors"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// No window spans a break, and what a break cuts off is counted.
func TestBreaksBeginNewEpochs(t *testing.T) {
	for _, c := range []struct {
		name   string
		film   func(*film)
		want   []int
		epochs int64
		cut    int64
	}{
		{"none", func(f *film) { f.run(0, 150, 0) }, []int{0, 1, 2}, 1, 2},
		{"a short gap", func(f *film) { f.run(0, 75, 0); f.run(126, 150, 0) }, []int{0, 1, 2}, 1, 2},
		{"a long gap", func(f *film) { f.run(0, 75, 0); f.run(128, 202, 0) }, []int{0, -1, 0}, 2, 4},
		{"backwards", func(f *film) {
			f.run(0, 75, 0)
			f.start = f.start.Add(5 * time.Second)
			f.run(0, 75, 0)
		}, []int{0, -1, 0}, 2, 4},
		{"resolution", func(f *film) {
			f.run(0, 75, 0)
			f.width = 80
			f.run(75, 150, 0)
		}, []int{0, -1, 0}, 2, 4},
		{"reconnect", func(f *film) {
			f.run(0, 75, 0)
			f.s.Disconnected("gone")
			f.s.Connected(media.StreamInfo{})
			f.start = f.start.Add(time.Minute)
			f.run(0, 75, 0)
		}, []int{0, -1, 0}, 2, 4},
		{"a frame a second", func(f *film) {
			for i := range 20 {
				f.frameUntil(time.Duration(i)*time.Second, time.Duration(i+1)*time.Second, time.Duration(i)*time.Second)
			}
		}, upTo(8), 1, 2},
		{"a frame in four seconds", func(f *film) {
			for i := range 20 {
				f.frameUntil(time.Duration(i)*4*time.Second, time.Duration(i+1)*4*time.Second, time.Duration(i)*4*time.Second)
			}
		}, nil, 20, 0},
		{"clock runs fast", func(f *film) {
			for i := range 150 {
				f.frame(time.Duration(i)*tick, max(0, time.Duration(i)*tick-5*time.Second))
			}
		}, []int{0, 1, 2}, 1, 2},
		{"clock loses six seconds", func(f *film) {
			for i := range 15 * 70 {
				late := time.Duration(0)
				if i > 15*25 {
					late = 6 * time.Second
				}
				f.frame(time.Duration(i)*tick, time.Duration(i)*tick+late)
			}
		}, upTo(33), 1, 2},
		{"clock loses twenty seconds", func(f *film) {
			for i := range 15 * 75 {
				late := time.Duration(0)
				if i > 15*25 {
					late = 20 * time.Second
				}
				f.frame(time.Duration(i)*tick, time.Duration(i)*tick+late)
			}
		}, append(upTo(26), append([]int{-1}, upTo(8)...)...), 2, 4},
		{"a stall of the network", func(f *film) {
			for i := range 15 * 20 {
				late := time.Duration(0)
				if i > 100 && i < 180 {
					late = 10 * time.Second
				}
				f.frame(time.Duration(i)*tick, time.Duration(i)*tick+late)
			}
		}, upTo(8), 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &clips{}
			s, counts := testStream(t, out, nil)
			c.film(newFilm(t, s))
			s.Disconnected("over")
			publish(s)
			if got := out.sequences(); !slices.Equal(got, c.want) {
				t.Errorf("clips %v, want %v", got, c.want)
			}
			if got := counts.value(t, "frostwatch.framer.epochs"); got != c.epochs {
				t.Errorf("%d epochs, want %d", got, c.epochs)
			}
			if got := counts.value(t, "frostwatch.framer.windows_incomplete"); got != c.cut {
				t.Errorf("%d incomplete windows, want %d", got, c.cut)
			}
		})
	}
}

func upTo(n int) []int {
	var out []int
	for i := range n {
		out = append(out, i)
	}
	return out
}

// An epoch's wall clock is its first frame's arrival plus stream time, to its end.
func TestTimesOfAClip(t *testing.T) {
	out := &clips{}
	s, _ := testStream(t, out, nil)
	f := newFilm(t, s)
	f.run(0, 100, 3*time.Second)
	publish(s)
	c := out.all[1]
	if epoch := f.start.Add(3 * time.Second); !c.Epoch.Equal(epoch) || !c.Frames[0].Captured.Equal(epoch.Add(c.Frames[0].Stream)) {
		t.Errorf("epoch %v, captured %v", c.Epoch, c.Frames[0].Captured)
	}
	if (c.Start-halfWindow).Abs() > 1 || (c.Window-trainedWindow).Abs() > 1 || c.Frames[0].Stream != f.at(32) {
		t.Errorf("start %v, window %v, first frame %v", c.Start, c.Window, c.Frames[0].Stream)
	}
	im, err := jpeg.Decode(bytes.NewReader(c.Frames[7].JPEG))
	if err != nil || im.Bounds().Dx() != 56 || im.Bounds().Dy() != 32 {
		t.Errorf("picture %v, %v", im.Bounds(), err)
	}
}

// A frame that several windows want is converted and compressed once.
func TestFramesAreCompressedOnce(t *testing.T) {
	out := &clips{}
	s, _ := testStream(t, out, func(o *Options) {
		o.Window, o.Stride = 500*time.Millisecond, topics.Stride{Time: 100 * time.Millisecond}
	})
	f := newFilm(t, s)
	f.run(0, 60, 0)
	publish(s)
	if len(out.all) < 30 || f.converted != 60 {
		t.Errorf("%d clips, %d conversions of 60 frames", len(out.all), f.converted)
	}
}

// With the default stride, half of a clip's frames are the very bytes of the
// clip before it, and only the other half is encoded.
func TestTheDefaultStrideEncodesHalf(t *testing.T) {
	out := &clips{}
	s, counts := testStream(t, out, func(o *Options) { o.Stride = topics.Stride{Steps: 4} })
	newFilm(t, s).run(0, 15*60, 0)
	publish(s)
	if len(out.all) != 24 {
		t.Fatalf("%d clips in a minute, want 24", len(out.all))
	}
	for i, c := range out.all[1:] {
		before := out.all[i]
		for k := range 4 {
			if a, b := before.Frames[k+4], c.Frames[k]; a.Stream != b.Stream || !a.Captured.Equal(b.Captured) || !bytes.Equal(a.JPEG, b.JPEG) {
				t.Fatalf("clip %d: frame %d at %v is not frame %d of the clip before, at %v", i+1, k, b.Stream, k+4, a.Stream)
			}
		}
	}
	if got, want := counts.value(t, "frostwatch.framer.encode.duration"), int64(4*24+4); got < want || got > want+4 { // and those of the window that is open
		t.Errorf("%d frames encoded, want %d", got, want)
	}
}

// Kafka away: the newest clips are kept, the oldest dropped and counted, and
// stopping does not wait for ever.
func TestAFullQueueDropsTheOldest(t *testing.T) {
	out := &clips{hold: make(chan struct{})}
	s, counts := testStream(t, out, func(o *Options) { o.Queue = 3 })
	newFilm(t, s).run(0, 600, 0)
	if got := counts.value(t, "frostwatch.framer.clips_dropped"); got != 14 {
		t.Errorf("%d clips dropped, want 14", got)
	}
	close(out.hold)
	publish(s)
	if got := out.sequences(); !slices.Equal(got, []int{14, 15, 16}) {
		t.Errorf("clips %v", got)
	}
	out.hold = make(chan struct{})
	newFilm(t, s).run(0, 100, 0)
	begun := time.Now()
	publish(s)
	if d := time.Since(begun); d > 2*farewell {
		t.Errorf("stopping took %v", d)
	}
}

func TestAFrameThatCannotBeConverted(t *testing.T) {
	s, _ := testStream(t, &clips{}, nil)
	s.Connected(media.StreamInfo{})
	for _, f := range []media.Frame{
		{Width: 64, Height: 36, Until: tick, RGB: func([]byte) ([]byte, error) { return nil, errors.New("no") }},
		{Width: 8192, Height: 2, Until: tick},
	} {
		if err := s.Frame(t.Context(), &f); err == nil {
			t.Errorf("%dx%d was taken", f.Width, f.Height)
		}
		s.Disconnected("")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	s, _ := testStream(t, &clips{}, nil)
	for _, c := range []struct {
		camera topics.Camera
		want   string
	}{
		{topics.Camera{Stride: topics.Stride{Time: 1}}, "stride of 1ns: want 50ms to 1h0m0s"},
		{topics.Camera{Window: topics.Duration(time.Hour)}, "window of 1h0m0s: want 100ms to 5m0s"},
		{topics.Camera{Window: topics.Duration(time.Minute), Stride: topics.Stride{Time: time.Second / 10}}, "stride of 100ms in a window of 1m0s: want at least a hundredth"},
	} {
		if _, err := s.Stream(c.camera, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	o := s.Options
	o.Quality = 101
	if _, err := New(o); err == nil || err.Error() != "framer: JPEG quality 101: want 1 to 100" {
		t.Errorf("got %v", err)
	}
}
