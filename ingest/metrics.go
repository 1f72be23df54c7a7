package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

type metrics struct {
	frames     metric.Int64Counter
	badPackets metric.Int64Counter
	received   metric.Int64Counter
	reconnects metric.Int64Counter
	streams    metric.Int64ObservableGauge
	rate       metric.Float64ObservableGauge
}

func newMetrics(m metric.Meter) (metrics, error) {
	var out metrics
	var errs [6]error
	out.frames, errs[0] = m.Int64Counter("frostwatch.ingest.frames", metric.WithDescription("frames decoded"))
	out.badPackets, errs[1] = m.Int64Counter("frostwatch.ingest.decode_errors", metric.WithDescription("packets or frames that could not be decoded and were skipped"))
	out.received, errs[2] = m.Int64Counter("frostwatch.ingest.received_bytes", metric.WithUnit("By"), metric.WithDescription("video received from cameras"))
	out.reconnects, errs[3] = m.Int64Counter("frostwatch.ingest.reconnects", metric.WithDescription("connections that failed or broke off, by kind of fault"))
	out.streams, errs[4] = m.Int64ObservableGauge("frostwatch.ingest.stream_state", metric.WithDescription("1 for the state that each camera's stream is in"))
	out.rate, errs[5] = m.Float64ObservableGauge("frostwatch.ingest.frame_rate", metric.WithDescription("frames a second by the camera's clock, 0 while it does not stream"))
	return out, errors.Join(errs[:]...)
}

func ofCamera(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", name))
}

func (m *metrics) frame(ctx context.Context, camera string) { m.frames.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) bad(ctx context.Context, camera string)   { m.badPackets.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) bytes(ctx context.Context, camera string, n int) {
	m.received.Add(ctx, int64(n), ofCamera(camera))
}

func (m *metrics) reconnect(ctx context.Context, camera string, k media.Kind) {
	m.reconnects.Add(ctx, 1, metric.WithAttributes(attribute.String("camera", camera), attribute.String("fault", string(k))))
}

// live is the set of running cameras that the gauges show.
type live struct {
	mu  sync.Mutex
	all map[*runner]bool
}

func (l *live) add(r *runner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[r] = true
}

func (l *live) remove(r *runner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, r)
}

// list is those that run now.
func (l *live) list() []*runner {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.all))
}

// observe registers the gauges; the returned function ends them.
func (l *live) observe(meter metric.Meter, m metrics) (func() error, error) {
	states := []topics.StreamState{topics.StreamConnecting, topics.StreamStreaming, topics.StreamWaiting, topics.StreamStopped}
	reg, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for r := range l.all {
			camera := attribute.String("camera", r.camera.Name)
			o.ObserveFloat64(m.rate, float64(r.fps.Load())/1000, metric.WithAttributes(camera))
			now := r.state.Load()
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
