package bus_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func TestAWorkerDisturbsOnlyWhatMoves(t *testing.T) {
	for _, backend := range freezers {
		t.Run(backend.name, func(t *testing.T) { comeAndGo(t, backend.start(t)) })
	}
}

func comeAndGo(t *testing.T, b kafkatest.Freezer) {
	c := newCrew(t, b, "crew", 12)
	one := c.start(b, "one")
	first := c.await(map[string]int{"one": 12})
	two := c.start(b, "two")
	second := c.await(map[string]int{"one": 6, "two": 6})
	c.kept(first, second, 6)
	three := c.start(b, "three")
	third := c.await(map[string]int{"one": 4, "two": 4, "three": 4})
	c.kept(second, third, 4)
	two.stop()
	if err := <-two.ended; err != nil {
		t.Error(err)
	}
	fourth := c.await(map[string]int{"one": 6, "three": 6})
	c.kept(third, fourth, 4)
	c.mu.Lock()
	if len(c.clash) > 0 {
		t.Errorf("held by two at once: %v", c.clash)
	}
	c.mu.Unlock()
	// As kill -9 does: nothing is said, and the coordinator finds out by the silence.
	_ = three.client.Close()
	fifth := c.await(map[string]int{"one": 12})
	c.kept(fourth, fifth, 6)
	one.stop()
	if err := <-one.ended; err != nil {
		t.Error(err)
	}
	three.stop()
	if err := <-three.ended; err != nil {
		t.Error(err)
	}
}

// A handler that needs its time to finish gets it, and may send its last results,
// before another worker's handler begins.
func TestAPartitionIsHandedOverWhenItsHandlerHasFinished(t *testing.T) {
	t.Parallel()
	b := kafkatest.StartFreezable(t)
	c := newCrew(t, b, "slow", 4)
	c.finish = 2 * time.Second // less than bus.Grace
	one := c.start(b, "one")
	c.await(map[string]int{"one": 4})
	two := c.start(b, "two")
	c.await(map[string]int{"one": 2, "two": 2})
	c.mu.Lock()
	if len(c.clash) > 0 || len(c.unsent) > 0 {
		t.Errorf("held by two at once: %v; not sent: %v", c.clash, c.unsent)
	}
	c.mu.Unlock()
	for _, w := range []*worker{one, two} {
		w.stop()
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
	}
}

func TestLeasesOutliveABrokersRestart(t *testing.T) {
	onEach(t, func(t *testing.T, b kafkatest.Broker) {
		ctx, c := within(t, 2*time.Minute), client(t, b, nil)
		if err := c.Ensure(ctx, []bus.TopicSpec{spec("kept", 4), spec("kept-out", 4)}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		begun, sent := 0, map[int]int{}
		own, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() {
			ended <- c.Consume(own, bus.GroupOptions{Group: "kept", Topic: "kept", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
				mu.Lock()
				begun++
				mu.Unlock()
				for ctx.Err() == nil {
					if _, err := p.Send(ctx, bus.Message{Topic: "kept-out", Value: []byte("x")}); err == nil {
						mu.Lock()
						sent[p.ID()]++
						mu.Unlock()
					}
					time.Sleep(5 * time.Millisecond) // a worker's own pace
				}
				return nil
			})
		}()
		all := func(more int) func() bool {
			mu.Lock()
			defer mu.Unlock()
			want := map[int]int{}
			for p := range 4 {
				want[p] = sent[p] + more
			}
			return func() bool {
				mu.Lock()
				defer mu.Unlock()
				for p, n := range want {
					if sent[p] < n {
						return false
					}
				}
				return true
			}
		}
		until(ctx, t, "all to send", all(3))
		b.Restart(t)
		until(ctx, t, "all to send again", all(3))
		mu.Lock()
		if begun != 4 {
			t.Errorf("handlers were begun %d times, want once for each of 4 partitions", begun)
		}
		mu.Unlock()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
