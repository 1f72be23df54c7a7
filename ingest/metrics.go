package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

type metrics struct {
	frames     metric.Int64Counter
	kept       metric.Int64Counter
	badPackets metric.Int64Counter
	damaged    metric.Int64Counter
	received   metric.Int64Counter
	reconnects metric.Int64Counter
	films      metric.Int64Counter
	deaths     metric.Int64Counter
	streams    metric.Int64ObservableGauge
	rate       metric.Float64ObservableGauge
}

func newMetrics(m metric.Meter) (metrics, error) {
	i := telemetry.Instruments{Meter: m}
	out := metrics{
		frames:     i.CounterBy("frostwatch.ingest.frames", "{frame}", "frames decoded, by camera"),
		kept:       i.CounterBy("frostwatch.ingest.kept_frames", "{frame}", "frames that were not decoded when they came, since nothing happened, by camera"),
		badPackets: i.CounterBy("frostwatch.ingest.decode_errors", "{error}", "packets or frames that could not be decoded and were skipped, by camera"),
		damaged:    i.CounterBy("frostwatch.ingest.damaged_frames", "{frame}", "frames of which parts are missing, or that refer to such a frame, by camera"),
		received:   i.CounterBy("frostwatch.ingest.received", "By", "video received, by camera"),
		reconnects: i.CounterBy("frostwatch.ingest.reconnects", "{connection}", "connections that failed or broke off, by camera and kind of fault"),
		films:      i.CounterBy("frostwatch.ingest.films", "{film}", "alerts of which a film was stored, failed, or can't be made since the packets were not kept, by outcome"),
		deaths:     i.CounterBy("frostwatch.ingest.reader_deaths", "{process}", "processes that read cameras and ended on their own, by cause"),
		streams:    i.GaugeBy("frostwatch.ingest.stream_state", "", "1 for the state that each camera's stream is in, else 0"),
		rate:       i.FloatGaugeBy("frostwatch.ingest.frame_rate", "Hz", "frames a second by the camera's clock, 0 while it does not stream"),
	}
	if err := i.Err(); err != nil {
		return out, err
	}
	for _, outcome := range []string{filmStored, filmFailed, filmNotKept} {
		out.film(context.Background(), outcome, 0)
	}
	for _, cause := range []string{causeCrash, causeKill, causeHung, causeEnd, causeStart} {
		out.died(context.Background(), cause, 0)
	}
	return out, nil
}

// What became of the films of alerts.
const (
	filmStored  = "stored"
	filmFailed  = "failed"
	filmNotKept = "not kept"
)

// begin makes a camera's counters exist: a rate over one that appears with its
// first event misses that event.
func (m *metrics) begin(ctx context.Context, camera string) {
	for _, c := range []metric.Int64Counter{m.frames, m.kept, m.badPackets, m.damaged, m.received} {
		c.Add(ctx, 0, ofCamera(camera))
	}
	m.reconnects.Add(ctx, 0, ofFault(camera, media.KindUnreachable))
}

func ofFault(camera string, k media.Kind) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", camera), attribute.String("fault", string(k)))
}

func ofCamera(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", name))
}

func (m *metrics) frame(ctx context.Context, camera string)  { m.frames.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) keep(ctx context.Context, camera string)   { m.kept.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) bad(ctx context.Context, camera string)    { m.badPackets.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) damage(ctx context.Context, camera string) { m.damaged.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) bytes(ctx context.Context, camera string, n int) {
	m.received.Add(ctx, int64(n), ofCamera(camera))
}

func (m *metrics) film(ctx context.Context, outcome string, n int64) {
	m.films.Add(ctx, n, metric.WithAttributes(attribute.String("outcome", outcome)))
}

func (m *metrics) reconnect(ctx context.Context, camera string, k media.Kind) {
	m.reconnects.Add(ctx, 1, ofFault(camera, k))
}

func (m *metrics) died(ctx context.Context, cause string, n int64) {
	m.deaths.Add(ctx, n, metric.WithAttributes(attribute.String("cause", cause)))
}

// gauged is a camera as the gauges show it.
type gauged interface {
	gauge() (camera string, fps float64, now *topics.StreamStatus)
}

func (r *runner) gauge() (string, float64, *topics.StreamStatus) {
	return r.camera.Name, float64(r.fps.Load()) / 1000, r.state.Load()
}

// live is the set of running cameras that the gauges show.
type live struct {
	mu  sync.Mutex
	all map[gauged]bool
}

func (l *live) add(r gauged) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[r] = true
}

func (l *live) remove(r gauged) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, r)
}

// list returns those that run now in this process.
func (l *live) list() (out []*runner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for g := range l.all {
		if r, here := g.(*runner); here {
			out = append(out, r)
		}
	}
	return out
}

// every returns all that run now.
func (l *live) every() []gauged {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.all))
}

// observe registers the gauges; the returned function ends them.
func (l *live) observe(meter metric.Meter, m metrics) (func() error, error) {
	states := []topics.StreamState{topics.StreamConnecting, topics.StreamStreaming, topics.StreamWaiting, topics.StreamStopped}
	reg, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, g := range l.every() {
			name, fps, now := g.gauge()
			camera := attribute.String("camera", name)
			o.ObserveFloat64(m.rate, fps, metric.WithAttributes(camera))
			for _, state := range states {
				on := int64(0)
				if now != nil && now.State == state {
					on = 1
				}
				o.ObserveInt64(m.streams, on, metric.WithAttributes(camera, attribute.String("state", string(state))))
			}
		}
		return nil
	}, m.streams, m.rate)
	if err != nil {
		return nil, fmt.Errorf("observe streams: %w", err)
	}
	return reg.Unregister, nil
}
