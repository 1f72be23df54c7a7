package infer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clipTrace is the trace that every clip of the tests belongs to.
const clipTrace = "0123456789abcdef0123456789abcdef"

// rig is a broker with topics.
type rig struct {
	t      testing.TB
	broker kafkatest.Broker
	client *bus.Client
	names  topics.Names
}

func newRig(t testing.TB, partitions int) *rig {
	t.Helper()
	r := &rig{t: t, broker: kafkatest.StartEmbedded(t), names: topics.Names{Prefix: "t."}}
	r.client = r.newClient()
	specs := bus.TopicSpecs(r.names, partitions, 1)
	for _, s := range specs {
		// So that a test can send a record that is old.
		s.Config["message.timestamp.type"] = "CreateTime"
	}
	if err := r.client.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) newClient() *bus.Client {
	r.t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{r.broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// send publishes a clip, with further headers as pairs of key and value.
func (r *rig) send(camera string, value []byte, headers ...string) {
	r.t.Helper()
	r.sendAt(camera, value, time.Time{}, headers...)
}

// sendAt is send with a time for the record.
func (r *rig) sendAt(camera string, value []byte, at time.Time, headers ...string) {
	r.t.Helper()
	m := bus.Message{Topic: r.names.Of(topics.Clips), Key: []byte(camera), Value: value, Time: at,
		Headers: []bus.Header{{Key: "traceparent", Value: []byte("00-" + clipTrace + "-0123456789abcdef-01")}}}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, bus.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	if _, err := r.client.Send(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(topic topics.Topic) (out []bus.Message) {
	r.t.Helper()
	err := r.client.ReadAll(r.t.Context(), r.names.Of(topic), time.Time{}, false, func(m bus.Message) error {
		out = append(out, m)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// recognitions are those published, by camera, in order.
func (r *rig) recognitions() map[string][]topics.Recognition {
	r.t.Helper()
	out := map[string][]topics.Recognition{}
	for _, m := range r.read(topics.Actions) {
		rec, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			r.t.Fatal(err)
		}
		out[rec.Camera] = append(out[rec.Camera], rec)
	}
	return out
}

// wantEach checks that each clip of each camera was recognised once, in order.
func (r *rig) wantEach(clips map[string]int) {
	r.t.Helper()
	got := r.recognitions()
	if len(got) != len(clips) {
		r.t.Errorf("recognitions of %d cameras, want %d", len(got), len(clips))
	}
	for camera, n := range clips {
		if len(got[camera]) != n {
			r.t.Errorf("%s: %d recognitions of %d clips", camera, len(got[camera]), n)
		}
		for i, rec := range got[camera] {
			if rec.Sequence != uint64(i) {
				r.t.Errorf("%s: clip %d comes at place %d", camera, rec.Sequence, i)
			}
		}
	}
}

func (r *rig) options(first Recogniser) Options {
	return Options{
		Bus: r.client, Names: r.names, Group: "infer", First: first,
		MaxBatch: 4, MaxWait: 20 * time.Millisecond, MaxAge: time.Minute, TopK: 2, Decoders: 3,
		Logger: slog.New(slog.DiscardHandler), Tracer: sdktrace.NewTracerProvider().Tracer("test"),
		Meter: metricnoop.Meter{}, Propagator: propagation.TraceContext{},
	}
}

// start runs a stage; the returned function stops it, if it has not ended, and
// gives its error.
func start(t testing.TB, o Options) (*Stage, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop := func() (err error) {
		once.Do(func() {
			cancel()
			select {
			case err = <-done:
			case <-time.After(stagetest.Patience):
				err = errors.New("the stage does not stop")
			}
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return s, stop
}
