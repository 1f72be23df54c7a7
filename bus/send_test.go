package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func tooLarge(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("large", 1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(ctx, bus.Message{Topic: "large", Value: make([]byte, 5<<20)}); err == nil || ctx.Err() != nil {
		t.Errorf("got %v", err)
	}
}

func survivesRestart(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, 2*time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("restart", 2)}); err != nil {
		t.Fatal(err)
	}
	const n = 200
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if _, err := c.Send(ctx, bus.Message{Topic: "restart", Key: fmt.Append(nil, i%7), Value: fmt.Append(nil, i)}); err != nil {
				sent <- err
				return
			}
			time.Sleep(5 * time.Millisecond) // spread over the restart
		}
		sent <- nil
	}()
	received := make(chan string, 10*n)
	own, stop := context.WithCancel(ctx)
	consumed := make(chan error, 1)
	go func() {
		consumed <- c.Consume(own, bus.GroupOptions{Group: "restart", Topic: "restart", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
			for {
				m, err := p.Fetch(ctx)
				if err != nil {
					return err
				}
				received <- string(m.Value)
				// A commit that fails is a record read twice, no more.
				_ = p.Commit(ctx, m.Offset+1)
			}
		})
	}()
	seen := map[string]bool{}
	select { // some are through
	case v := <-received:
		seen[v] = true
	case <-ctx.Done():
		t.Fatal("nothing came before the restart")
	}
	b.Restart(t)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for len(seen) < n {
		select {
		case v := <-received:
			seen[v] = true
		case <-ctx.Done():
			t.Fatalf("%d of %d acknowledged records came back", len(seen), n)
		}
	}
	stop()
	if err := <-consumed; err != nil {
		t.Error(err)
	}
}
