package bus_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func TestWhatIsBeyondTheEndIsReported(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	c, out, reader := measured(t, b.Addr())
	ctx := within(t, time.Minute)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("beyond", 1)}); err != nil {
		t.Fatal(err)
	}
	send := func(value string) {
		t.Helper()
		if _, err := c.Send(ctx, bus.Message{Topic: "beyond", Key: []byte("k"), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	send("a")
	send("b")
	done := errors.New("done")
	consume := func(handle func(context.Context, *bus.Partition) error) {
		t.Helper()
		if err := c.Consume(ctx, bus.GroupOptions{Group: "beyond", Topic: "beyond", StartFirst: true}, handle); !errors.Is(err, done) {
			t.Error(err)
		}
	}
	consume(func(ctx context.Context, p *bus.Partition) error { return errors.Join(done, p.Commit(ctx, 100)) })
	consume(func(ctx context.Context, p *bus.Partition) error {
		var sent sync.WaitGroup
		defer sent.Wait()
		sent.Go(func() {
			until(ctx, t, "the report", func() bool { return out.has("level=ERROR", "offset=100", "end=2") })
			send("c")
		})
		m, err := p.Fetch(ctx)
		if err != nil || string(m.Value) != "c" {
			t.Errorf("read %q, %v; want what comes", m.Value, err)
		}
		if got := stagetest.Counts(t, reader)["frostwatch.kafka.records_lost"]; got != 98 {
			t.Errorf("%d records are counted as lost, want 98", got)
		}
		return done
	})
}
