package bus_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func TestMain(m *testing.M) {
	if broker := os.Getenv(workerEnv); broker != "" {
		work(broker)
		return
	}
	goleak.VerifyTestMain(m)
}

// backends are the embedded broker and a real Kafka: what holds on one only is
// no help.
var backends = []struct {
	name  string
	start func(testing.TB) kafkatest.Broker
}{
	{"embedded", kafkatest.StartEmbedded},
	{"kafka", kafkatest.StartKafka},
}

func onEach(t *testing.T, test func(t *testing.T, b kafkatest.Broker)) {
	for _, backend := range backends {
		t.Run(backend.name, func(t *testing.T) { test(t, backend.start(t)) })
	}
}

func client(t testing.TB, b kafkatest.Broker, log *slog.Logger) *bus.Client {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return clientOf(t, []string{b.Addr()}, log)
}

func clientOf(t testing.TB, brokers []string, log *slog.Logger) *bus.Client {
	t.Helper()
	c, err := bus.New(bus.Options{Brokers: brokers, ClientID: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func until(ctx context.Context, t testing.TB, what string, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited for %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func spec(name string, partitions int) bus.TopicSpec {
	return bus.TopicSpec{Name: name, Partitions: partitions, Replication: 1,
		Config: map[string]string{"cleanup.policy": "delete", "retention.ms": "86400000"}}
}

func TestBus(t *testing.T) {
	onEach(t, func(t *testing.T, b kafkatest.Broker) {
		t.Run("records come back whole", func(t *testing.T) { recordsComeBackWhole(t, b) })
		t.Run("sending gives positions", func(t *testing.T) { sendPositions(t, b) })
		t.Run("what comes while it is read is read", func(t *testing.T) { growthIsRead(t, b) })
		t.Run("a stretch is replayed", func(t *testing.T) { replayStretch(t, b) })
		t.Run("a partition is read, skipped and sent for", func(t *testing.T) { partitionReads(t, b) })
		t.Run("a table keeps the newest", func(t *testing.T) { tableKeepsNewest(t, b) })
		t.Run("reading begins at a time", func(t *testing.T) { readingBeginsAtATime(t, b) })
		t.Run("a topic that differs is reported and left", func(t *testing.T) { differenceIsWarned(t, b) })
		t.Run("a group goes on where it committed", func(t *testing.T) { groupResumes(t, b) })
		t.Run("partitions move between members", func(t *testing.T) { partitionsMove(t, b) })
		t.Run("a handler's error ends consuming", func(t *testing.T) { handlerError(t, b) })
		t.Run("too large is refused at once", func(t *testing.T) { tooLarge(t, b) })
		t.Run("nothing acknowledged is lost by a restart", func(t *testing.T) { survivesRestart(t, b) })
	})
}
