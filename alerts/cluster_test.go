package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/topics"
)

// patient is a bound on what takes a second or two on an idle machine.
const patient = 2 * time.Minute

var names = topics.Names{Prefix: "t."}

// cluster is the embedded broker with the topics of one partition each.
type cluster struct {
	*bus.Client
	stage      *Stage // that was run last
	partitions int
	options    embedded.BrokerOptions
	broker     *embedded.Broker
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	c := &cluster{options: embedded.BrokerOptions{Dir: t.TempDir(), Port: port, Logger: quiet}}
	c.start(t)
	t.Cleanup(func() { c.broker.Close() })
	c.Client, err = bus.New(bus.Options{Brokers: []string{c.broker.Addr()}, ClientID: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (c *cluster) start(t *testing.T) {
	t.Helper()
	broker, err := embedded.StartBroker(c.options)
	if err != nil {
		t.Fatal(err)
	}
	c.broker = broker
}

// ensure makes the topics; partitions of alerts may differ.
func (c *cluster) ensure(t *testing.T, alerts int) {
	t.Helper()
	specs := bus.TopicSpecs(names, max(c.partitions, 1), 1)
	for i := range specs {
		if specs[i].Name == names.Of(topics.Alerts) {
			specs[i].Partitions = alerts
		}
	}
	if err := c.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) send(t *testing.T, topic topics.Topic, key string, value []byte) {
	t.Helper()
	if _, err := c.Send(t.Context(), bus.Message{Topic: names.Of(topic), Key: []byte(key), Value: value}); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) recognise(t *testing.T, recs ...topics.Recognition) {
	t.Helper()
	for _, rec := range recs {
		value, err := topics.EncodeRecognition(rec)
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, topics.Actions, rec.Camera, value)
	}
}

// publish puts alerts on the log, as a worker of a generation would (0: one of an
// older version).
func (c *cluster) publish(t *testing.T, at time.Time, generation int, alerts ...topics.Alert) {
	t.Helper()
	for _, a := range alerts {
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		m := bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value, Time: at}
		if generation > 0 {
			m.Headers = []bus.Header{{Key: topics.HeaderGeneration, Value: fmt.Append(nil, generation)}}
		}
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// list puts an alert on the table of open alerts.
func (c *cluster) list(t *testing.T, key string, a topics.Alert) {
	t.Helper()
	value, err := topics.EncodeAlert(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Table(names.Of(topics.OpenAlerts)).Put(t.Context(), key, value, a.Camera); err != nil {
		t.Fatal(err)
	}
}

// awaitOpen waits for the table of open alerts to hold these keys, and gives it.
func (c *cluster) awaitOpen(t *testing.T, keys ...string) map[string]topics.Alert {
	t.Helper()
	deadline := time.Now().Add(patient)
	for {
		listed, err := c.Table(names.Of(topics.OpenAlerts)).List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(slices.Sorted(maps.Keys(listed)), keys) {
			out := map[string]topics.Alert{}
			for key, m := range listed {
				if out[key], err = topics.DecodeAlert(m.Value); err != nil {
					t.Fatal(err)
				}
			}
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("the table holds %q, want %q", slices.Sorted(maps.Keys(listed)), keys)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *cluster) all(t *testing.T, topic topics.Topic) []bus.Message {
	t.Helper()
	var out []bus.Message
	err := c.ReadAll(t.Context(), names.Of(topic), time.Time{}, false, func(m bus.Message) error { out = append(out, m); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *cluster) alerts(t *testing.T) []topics.Alert {
	t.Helper()
	var out []topics.Alert
	for _, m := range c.all(t, topics.Alerts) {
		a, err := topics.DecodeAlert(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// awaitAlerts waits for exactly so many and gives them.
func (c *cluster) awaitAlerts(t *testing.T, n int) []topics.Alert {
	t.Helper()
	deadline := time.Now().Add(patient)
	for {
		got := c.alerts(t)
		if len(got) == n {
			return got
		}
		if len(got) > n || time.Now().After(deadline) {
			t.Fatalf("%d alerts, want %d: %+v", len(got), n, got)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// run starts a stage; what it gives stops it and returns Run's error. done is
// closed when it has ended.
func (c *cluster) run(t *testing.T, o Options) (s *Stage, stop func() error, done <-chan struct{}) {
	t.Helper()
	o.Bus, o.Names = c.Client, names
	if o.Group == "" {
		o.Group = "alerts"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Tracer = tracenoop.NewTracerProvider().Tracer("")
	if o.Meter == nil {
		o.Meter = metricnoop.NewMeterProvider().Meter("")
	}
	o.Propagator = propagation.TraceContext{}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.stage = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var result error
	go func() { defer close(ended); result = s.Run(ctx) }()
	stop = func() error { cancel(); <-ended; return result }
	t.Cleanup(func() { _ = stop() })
	return s, stop, ended
}

// awaitHeld waits for the last stage to hold the partition.
func (c *cluster) awaitHeld(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patient); len(c.stage.held.describe("").Partitions) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stage holds no partition")
		}
	}
}

func fallRule() Rule { return Rule{Name: "fall", Actions: []string{"fall"}} }

// recent is an epoch that began a minute ago: 25 clips are of the past.
func recent() time.Time { return time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute) }
