package alerts

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/topics"
)

// patient is a bound on what takes a second or two on an idle machine.
const patient = 40 * time.Second

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
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(max(c.partitions, 1), 1) {
		n := s.Partitions
		if s.Topic == topics.Alerts {
			n = alerts
		}
		specs = append(specs, bus.TopicSpec{Name: names.Of(s.Topic), Partitions: n, Replication: 1, Config: s.Config})
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
	o.Tracer, o.Meter = tracenoop.NewTracerProvider().Tracer(""), metricnoop.NewMeterProvider().Meter("")
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

func TestBadRecordsDoNotStopTheStage(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	evil := func(size int) []byte {
		const shape = `{"specversion":"1.0","id":"x","source":"s","type":"%s","data":{}}`
		return fmt.Appendf(nil, shape, strings.Repeat("A", size-len(shape)+2))
	}
	const letter = 2 << 10 // a generous bound on what a dead letter adds
	for _, size := range []int{200, 2500 << 10, topics.MaxRecordBytes - letter, topics.MaxRecordBytes - 200} {
		c.send(t, topics.Actions, "lobby", evil(size))
	}
	epoch := recent()
	ahead := clipAt(time.Now().Add(24*time.Hour), 0, fall(.9))
	c.recognise(t, ahead, clipAt(epoch, 0, fall(.9)))
	log := &bytes.Buffer{} // read when the stage has ended
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule()), Logger: slog.New(slog.NewTextHandler(log, nil))})
	if a := c.awaitAlerts(t, 1)[0]; a.OnsetClip != clipAt(epoch, 0).ClipID {
		t.Errorf("raised %+v", a)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	var sizes []int
	for _, m := range c.all(t, topics.DeadLetter) {
		sizes = append(sizes, len(m.Value))
		if why := (bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderReason); why == "" || len(why) > 500 || !utf8.ValidString(why) {
			t.Errorf("reason of %d bytes: %q", len(why), why)
		}
	}
	if len(sizes) != 4 || !slices.Equal(sizes[:3], []int{200, 2500 << 10, topics.MaxRecordBytes - letter}) {
		t.Errorf("dead letters of %d bytes", sizes)
	}
	if n := strings.Count(log.String(), "dead letter refused"); n != 1 {
		t.Errorf("%d refused dead letters are logged", n)
	}
}

func TestRestarts(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	other := fallRule()
	other.Name = "other"
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule(), other)})
	c.recognise(t, clipAt(epoch, 0, fall(.9)), clipAt(epoch, 1, fall(.1)), clipAt(epoch, 2, fall(.9)))
	first := c.awaitAlerts(t, 6) // two raised, cleared and raised again
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// Gone while nobody was here: cleared at once, without a clip.
	_, stop, _ = c.run(t, Options{Rules: ruleSet(t, fallRule())})
	if a := c.awaitAlerts(t, 7)[6]; a.Rule != "other" || a.State != topics.AlertCleared || a.Reason != "the rule was removed" {
		t.Errorf("got %+v", a)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// A group that begins at the first clip publishes only what is new.
	s, _, _ := c.run(t, Options{Group: "anew", Rules: ruleSet(t, fallRule())})
	c.recognise(t, clipAt(epoch, 3, fall(.1)))
	last := c.awaitAlerts(t, 8)[7]
	active := slices.IndexFunc(first[4:], func(a topics.Alert) bool { return a.Rule == "fall" })
	if last.State != topics.AlertCleared || last.ID != first[4+active].ID {
		t.Errorf("got %+v", last)
	}
	// Rules replaced while it runs.
	c.recognise(t, clipAt(epoch, 4, fall(.9)))
	c.awaitAlerts(t, 9)
	s.SetRules(ruleSet(t, other))
	if a := c.awaitAlerts(t, 10)[9]; a.State != topics.AlertCleared || a.Rule != "fall" {
		t.Errorf("got %+v", a)
	}
}

func TestOldAlerts(t *testing.T) {
	for _, c := range []struct {
		name   string
		days   int
		listed bool
		want   topics.AlertState // of what follows
	}{
		{"six days old", 6, false, topics.AlertCleared},
		{"eight days old, and listed as open", 8, true, topics.AlertCleared},
		{"eight days old, and not listed", 8, false, topics.AlertRaised},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := startCluster(t)
			cl.ensure(t, 1)
			then := recent().AddDate(0, 0, -c.days)
			_, raised := play(newEngine(t, fallRule()), then, 0, .9)
			cl.publish(t, then, 0, raised[0])
			if c.listed {
				cl.list(t, "lobby/fall", raised[0])
			}
			cl.run(t, Options{Rules: ruleSet(t, fallRule())})
			second := fall(.1) // ends what was restored
			if c.want == topics.AlertRaised {
				second = fall(.9) // begins what was not
			}
			cl.recognise(t, clipAt(recent(), 0, second))
			if a := cl.awaitAlerts(t, 2)[1]; a.State != c.want || (a.ID == raised[0].ID) != (c.want == topics.AlertCleared) {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestAnOutageIsNoSilence(t *testing.T) {
	const silence = 6 * time.Second
	c := startCluster(t)
	c.ensure(t, 1)
	c.run(t, Options{Rules: ruleSet(t, fallRule()), NoClips: silence})
	c.recognise(t, clipAt(recent(), 0, fall(.9)))
	c.awaitAlerts(t, 1)
	c.broker.Close()
	time.Sleep(silence + time.Second) // the outage must outlast the silence allowed
	back := time.Now()
	c.start(t)
	a := c.awaitAlerts(t, 2)[1]
	if took := time.Since(back); took < silence*2/3 {
		t.Errorf("cleared %v after Kafka was back: the outage counted as silence", took)
	}
	if a.State != topics.AlertCleared || a.Reason != "no clip for 6s" {
		t.Errorf("got %+v", a)
	}
}

func TestPartitionsMustMatch(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 2)
	_, stop, done := c.run(t, Options{})
	select {
	case <-done:
	case <-time.After(patient):
		t.Error("it goes on")
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "t.actions and t.alerts have 1 and 2 partitions") {
		t.Errorf("got %v", err)
	}
}
