package framer

import (
	"bytes"
	"context"
	"log/slog"
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
	still         bool // nothing moves
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
	f.frameUntil(pts, pts+tick, arrived)
}

// frameUntil shows a frame from pts until the next one comes.
func (f *film) frameUntil(pts, until, arrived time.Duration) {
	f.t.Helper()
	err := f.s.Frame(f.t.Context(), &media.Frame{
		PTS: pts, Until: until, Arrived: f.start.Add(arrived), Width: f.width, Height: f.height, Still: f.still,
		RGB: func(dst []byte) ([]byte, error) {
			f.converted++
			return append(dst[:0], bytes.Repeat([]byte{byte(pts / time.Millisecond)}, f.width*f.height*3)...), nil
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
