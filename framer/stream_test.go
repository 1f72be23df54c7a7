package framer

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// clips collects what a framer sends.
type clips struct {
	mu   sync.Mutex
	all  []topics.Clip
	hold chan struct{} // sends wait for it, if not nil
}

func (c *clips) send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range msgs {
		clip, err := topics.DecodeClip(m.Value)
		if err != nil {
			return nil, err
		}
		c.all = append(c.all, clip)
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// sequences are the clips' numbers; a new epoch is marked by -1.
func (c *clips) sequences() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for i, clip := range c.all {
		if i > 0 && !clip.Epoch.Equal(c.all[i-1].Epoch) {
			out = append(out, -1)
		}
		out = append(out, int(clip.Sequence))
	}
	return out
}

type counters struct{ reader *sdkmetric.ManualReader }

func newCounters() (counters, metric.Meter) {
	r := sdkmetric.NewManualReader()
	return counters{r}, sdkmetric.NewMeterProvider(sdkmetric.WithReader(r)).Meter("t")
}

// value sums a counter, or counts a histogram, over its attributes.
func (c counters) value(t *testing.T, name string) int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if data, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
				for _, p := range data.DataPoints {
					sum += p.Value
				}
			}
			if data, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == name {
				for _, p := range data.DataPoints {
					sum += int64(p.Count)
				}
			}
		}
	}
	return sum
}

// seconds is a counter of seconds by reason.
func (c counters) seconds(t *testing.T, name string) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if data, ok := m.Data.(metricdata.Sum[float64]); ok && m.Name == name {
				for _, p := range data.DataPoints {
					reason, _ := p.Attributes.Value("reason")
					out[reason.AsString()] += p.Value
				}
			}
		}
	}
	return out
}

func testStream(t *testing.T, c *clips, change func(*Options)) (*Stream, counters) {
	t.Helper()
	counts, meter := newCounters()
	o := Options{
		Names: topics.Names{Prefix: "t."}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Time: 2133 * time.Millisecond},
		ShortSide: 32, Quality: 90, Queue: 100, Logger: slog.New(slog.DiscardHandler),
		Meter: meter, Tracer: tracenoop.NewTracerProvider().Tracer("t"), Propagator: propagation.TraceContext{},
	}
	if change != nil {
		change(&o)
	}
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Stream(topics.Camera{Name: "cam", URL: "x"}, c.send)
	if err != nil {
		t.Fatal(err)
	}
	return s, counts
}

// publish lets a stream send what it has queued.
func publish(s *Stream) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Run(ctx)
}

// film feeds frames at 15 a second, from and to in frames, as if they had
// arrived when they were shown.
type film struct {
	t             *testing.T
	s             *Stream
	start         time.Time
	width, height int
	converted     int
}

func newFilm(t *testing.T, s *Stream) *film {
	s.Connected(media.StreamInfo{})
	return &film{t: t, s: s, start: time.Unix(1_700_000_000, 0), width: 64, height: 36}
}

const tick = time.Second / 15

// at is the time of frame i, without the rounding of tick.
func (f *film) at(i int) time.Duration { return time.Duration(i) * time.Second / 15 }

// run shows frames from up to to, with PTS moved by shift.
func (f *film) run(from, to int, shift time.Duration) {
	for i := from; i < to; i++ {
		f.frame(f.at(i)+shift, f.at(i)+shift)
	}
}

func (f *film) frame(pts, arrived time.Duration) {
	f.t.Helper()
	err := f.s.Frame(f.t.Context(), &media.Frame{
		PTS: pts, Until: pts + tick, Arrived: f.start.Add(arrived), Width: f.width, Height: f.height,
		RGB: func(dst []byte) ([]byte, error) {
			f.converted++
			return append(dst[:0], bytes.Repeat([]byte{byte(pts / time.Millisecond)}, f.width*f.height*3)...), nil
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

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
		{"a short gap", func(f *film) { f.run(0, 75, 0); f.run(83, 150, 0) }, []int{0, 1, 2}, 1, 2},
		{"a long gap", func(f *film) { f.run(0, 75, 0); f.run(86, 160, 0) }, []int{0, -1, 0}, 2, 4},
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
		{"too slow for the model", func(f *film) {
			for i := range 20 {
				f.frame(time.Duration(i)*time.Second, time.Duration(i)*time.Second)
			}
		}, nil, 20, 20},
		{"clock runs fast", func(f *film) {
			for i := range 75 {
				f.frame(time.Duration(i)*tick, 0)
			}
			for i := 75; i < 151; i++ {
				f.frame(time.Duration(i)*tick, time.Duration(i)*tick-5001*time.Millisecond)
			}
		}, []int{0, -1, 0}, 2, 4},
		{"clock runs slow", func(f *film) {
			for i := range 15 * 70 {
				late := time.Duration(0)
				if i > 15*25 {
					late = 6 * time.Second
				}
				f.frame(time.Duration(i)*tick, time.Duration(i)*tick+late)
			}
		}, append(upTo(27), append([]int{-1}, upTo(3)...)...), 2, 4},
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

// The wall clock of an epoch is its first frame's arrival, and stays it.
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
	if got, want := counts.value(t, "frostwatch.framer.encode_seconds"), int64(4*24+4); got < want || got > want+4 { // and those of the window that is open
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
