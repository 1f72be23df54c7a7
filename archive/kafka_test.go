package archive

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// Two workers share the partitions of a real broker; one goes, the other goes on
// with what it held: everything is archived once, and a range comes from segments
// and from Kafka.
func TestWorkersArchiveAKafka(t *testing.T) {
	for _, backend := range []struct {
		name  string
		start func(testing.TB) kafkatest.Broker
	}{{"embedded", kafkatest.StartEmbedded}, {"kafka", kafkatest.StartKafka}} {
		t.Run(backend.name, func(t *testing.T) { workers(t, backend.start(t)) })
	}
}

func workers(t *testing.T, broker kafkatest.Broker) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := connect(t, broker)
	var specs []bus.TopicSpec
	for _, topic := range []topics.Topic{topics.Actions, topics.Alerts} {
		specs = append(specs, bus.TopicSpec{Name: names.Of(topic), Partitions: 3, Replication: 1, Config: map[string]string{"message.timestamp.type": "CreateTime"}})
	}
	must(t, c.Ensure(ctx, specs))
	b := bucket(t)
	first := worker(ctx, t, broker, b)
	second := worker(ctx, t, broker, b)

	begin := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	fillKafka(ctx, t, c, begin, 2*time.Hour)
	r := reader(t, ReaderOptions{Log: c, Bucket: b})
	archivedWhole(ctx, t, b, c, 120)
	first()
	fillKafka(ctx, t, c, begin.Add(2*time.Hour), 59*time.Minute)
	fillKafka(ctx, t, c, time.Now().Add(-time.Minute), time.Minute)
	archivedWhole(ctx, t, b, c, 179)
	second()
	counts := once(t, r, 180)
	if counts.Segments == 0 || counts.Broken > 0 {
		t.Errorf("counted %+v", counts)
	}
	raised := 0
	if _, err := r.Alerts(ctx, Range{Since: begin, Cameras: []string{"cam-3"}}, func(Record[topics.Alert]) error { raised++; return nil }); err != nil || raised == 0 {
		t.Errorf("%d alerts, %v", raised, err)
	}
}

func connect(t testing.TB, broker kafkatest.Broker) *bus.Client {
	t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// worker runs a stage until it is told to end.
func worker(ctx context.Context, t *testing.T, broker kafkatest.Broker, b *Bucket) (end func()) {
	t.Helper()
	s, err := New(Options{Bus: connect(t, broker), Names: names, Bucket: b, Group: "archive", Poll: 50 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler), Meter: noop.Meter{}})
	must(t, err)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var ended bool
	end = func() {
		if stop(); !ended {
			ended = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(end)
	return end
}

// fillKafka sends a recognition a minute, of one of six cameras, and an alert with
// every tenth.
func fillKafka(ctx context.Context, t *testing.T, c *bus.Client, from time.Time, d time.Duration) {
	t.Helper()
	var msgs []bus.Message
	for i := range int(d / time.Minute) {
		at := from.Add(time.Duration(i) * time.Minute)
		a := action(fmt.Sprintf("cam-%d", i%6), at, 8)
		msgs = append(msgs, bus.Message{Topic: names.Of(topics.Actions), Key: []byte(a.Camera), Value: encoded(t, a), Time: at})
		if i%10 == 3 {
			value, err := topics.EncodeAlert(topics.Alert{ID: "fall/" + a.ClipID, Rule: "fall", State: topics.AlertRaised, Camera: a.Camera, At: a.End, Onset: a.Start})
			must(t, err)
			msgs = append(msgs, bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value, Time: at})
		}
	}
	_, err := c.Send(ctx, msgs...)
	must(t, err)
}

// archivedWhole waits until n recognitions are in segments and committed, and nothing is
// wrong with them.
func archivedWhole(ctx context.Context, t *testing.T, b *Bucket, c *bus.Client, n int64) {
	t.Helper()
	for {
		committed := int64(0)
		offsets, err := c.CommittedOffsets(ctx, GroupOf("archive", topics.Actions), names.Of(topics.Actions))
		must(t, err)
		for _, next := range offsets {
			committed += next
		}
		if committed == n {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d of %d records are committed: %v", committed, n, offsets)
		case <-time.After(50 * time.Millisecond):
		}
	}
	r, err := Check(ctx, CheckOptions{Bucket: b, Names: names, Group: "archive", Log: c, Committed: c.CommittedOffsets})
	must(t, err)
	if len(r.Faults) > 0 {
		t.Errorf("faults %+v", r.Faults)
	}
}
