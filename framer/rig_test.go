package framer_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/topics"
)

// rig is a broker with an ingest worker on it, and what came out.
type rig struct {
	client  *bus.Client
	names   topics.Names
	spans   *tracetest.InMemoryExporter
	metrics *sdkmetric.ManualReader

	mu     sync.Mutex
	clips  map[string][]topics.Clip
	traces map[string]string // traceparent by clip id
	status map[string]topics.StreamStatus
}

// newRig takes what is to differ from the defaults of pipeline.yaml.
func newRig(t *testing.T, broker string, change func(*framer.Options)) *rig {
	t.Helper()
	r := &rig{
		names: topics.Names{Prefix: "t."}, spans: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader(),
		clips: map[string][]topics.Clip{}, traces: map[string]string{}, status: map[string]topics.StreamStatus{},
	}
	log := slog.New(slog.DiscardHandler)
	client, err := bus.New(bus.Options{Brokers: []string{broker}, ClientID: "t", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	if err := client.Ensure(t.Context(), bus.TopicSpecs(r.names, 2, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		done.Wait()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	o := framer.Options{
		// As in pipeline.yaml, rounded to milliseconds.
		Names: r.names, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}, ShortSide: 224, Quality: 90, Queue: 8,
		Logger: log, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.metrics)).Meter("t"),
		Tracer: provider.Tracer("t"), Propagator: propagation.TraceContext{},
	}
	change(&o)
	f, err := framer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	stage, err := ingest.New(ingest.Options{
		Bus: client, Names: r.names, Group: "g", Worker: "w",
		NewSink: func(c topics.Camera, send bus.SendFunc) (ingest.Sink, error) { return f.Stream(c, send) },
		Window:  4267 * time.Millisecond, Stride: topics.Stride{Steps: 4},
		Trust:     ingest.Trust{Allow: []string{"file", "127.0.0.1"}},
		Transport: "tcp", Protocols: []string{"rtsp", "file"}, OpenTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		Watchdog: 15 * time.Second, DecodeThreads: 1,
		Backoff: ingest.Backoff{Min: 100 * time.Millisecond, Max: time.Second, ResetAfter: time.Second},
		Logger:  log, Meter: noop.NewMeterProvider().Meter("t"), AnyPace: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	done.Go(func() {
		if err := stage.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	follow := func(topic topics.Topic, fn func(bus.Message) error) {
		done.Go(func() {
			if err := client.ReadAll(ctx, r.names.Of(topic), time.Time{}, true, fn); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	follow(topics.Clips, r.onClip)
	follow(topics.Status, r.onStatus)
	return r
}

func (r *rig) onClip(m bus.Message) error {
	c, err := topics.DecodeClip(m.Value)
	if err != nil {
		return err
	}
	if string(m.Key) != c.Camera {
		return fmt.Errorf("clip of %s has key %s", c.Camera, m.Key)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clips[c.Camera] = append(r.clips[c.Camera], c)
	r.traces[c.ID] = bus.HeaderCarrier{Headers: &m.Headers}.Get("traceparent")
	return nil
}

func (r *rig) onStatus(m bus.Message) error {
	s, err := topics.DecodeStatus(m.Value)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status[s.Camera] = s
	return nil
}

func (r *rig) put(t *testing.T, c topics.Camera) {
	t.Helper()
	value, err := topics.EncodeCamera(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Send(t.Context(), bus.Message{Topic: r.names.Of(topics.Cameras), Key: []byte(c.Name), Value: value}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) until(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		r.mu.Lock()
		done := ok()
		r.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("waited %v for %s; status %+v", limit, what, r.status)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// gaps are the seconds of a camera that are counted as without a clip, by reason.
func (r *rig) gaps(t *testing.T, camera string) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			data, ok := m.Data.(metricdata.Sum[float64])
			if !ok || m.Name != "frostwatch.framer.gap" {
				continue
			}
			for _, p := range data.DataPoints {
				if of, _ := p.Attributes.Value("camera"); of.AsString() != camera {
					continue
				}
				reason, _ := p.Attributes.Value("reason")
				out[reason.AsString()] += p.Value
			}
		}
	}
	return out
}

// simulate serves cameras until the test ends.
func simulate(t *testing.T, add func(add func(name, path string, o camsim.FileOptions))) *camsim.Server {
	t.Helper()
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	add(func(name, path string, o camsim.FileOptions) {
		if err := sim.AddFile(name, path, o); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := sim.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return sim
}
