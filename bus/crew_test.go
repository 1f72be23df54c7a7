package bus_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// worker is a member of a group that sends for each of its partitions all the
// time, and remembers what became of its handlers.
type worker struct {
	name   string
	client *bus.Client
	stop   context.CancelFunc
	ended  chan error
	crew   *crew
}

// crew are workers that share a topic.
type crew struct {
	t     *testing.T
	ctx   context.Context //nolint:containedctx // of the test
	topic string

	mu     sync.Mutex
	owner  map[int]string
	begun  map[string]int // handlers by worker and partition
	clash  []string
	events []event
	unsent []error       // of last words
	finish time.Duration // what a handler takes to finish
	change chan struct{}
}

// event is that a worker's handler of a partition began, or that its context ended.
type event struct {
	at        time.Time
	worker    string
	partition int
	begins    bool
}

// note remembers an event; the caller holds mu.
func (c *crew) note(worker string, partition int, begins bool) {
	c.events = append(c.events, event{time.Now(), worker, partition, begins})
}

func newCrew(t *testing.T, b kafkatest.Freezer, topic string, partitions int) *crew {
	t.Helper()
	c := &crew{t: t, ctx: within(t, 90*time.Second), topic: topic, owner: map[int]string{}, begun: map[string]int{}, change: make(chan struct{}, 1000)}
	if err := clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler)).Ensure(c.ctx, []bus.TopicSpec{spec(topic, partitions)}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *crew) start(b kafkatest.Freezer, name string) *worker {
	c.t.Helper()
	client, err := bus.New(bus.Options{Brokers: []string{b.Addr()}, ClientID: name, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.ctx)
	w := &worker{name: name, client: client, stop: stop, ended: make(chan error, 1), crew: c}
	go func() {
		w.ended <- client.Consume(ctx, bus.GroupOptions{Group: c.topic, Topic: c.topic, AnyKey: true}, w.hold)
	}()
	c.t.Cleanup(func() { stop(); _ = client.Close() })
	return w
}

func (w *worker) hold(ctx context.Context, p *bus.Partition) error {
	c := w.crew
	c.mu.Lock()
	if other := c.owner[p.ID()]; other != "" {
		c.clash = append(c.clash, fmt.Sprintf("%d of %s to %s", p.ID(), other, w.name))
	}
	c.owner[p.ID()] = w.name
	c.begun[fmt.Sprintf("%s/%d", w.name, p.ID())]++
	c.note(w.name, p.ID(), true)
	c.mu.Unlock()
	c.change <- struct{}{}
	<-ctx.Done()
	c.mu.Lock()
	c.note(w.name, p.ID(), false)
	c.mu.Unlock()
	time.Sleep(c.finish)
	// What is in hand is finished, and still sent.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), bus.Grace/2)
	defer cancel()
	_, err := p.Send(finish, bus.Message{Topic: c.topic, Key: []byte("last"), Value: []byte(w.name)})
	c.mu.Lock()
	if err != nil {
		c.unsent = append(c.unsent, err)
	}
	if c.owner[p.ID()] == w.name {
		c.owner[p.ID()] = ""
	}
	c.mu.Unlock()
	c.change <- struct{}{}
	return nil
}

// held is who has a partition, by the number of the handler that has it.
type held struct {
	by    string
	begun int
}

func (c *crew) owners() map[int]held {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[int]held{}
	for p, o := range c.owner {
		out[p] = held{o, c.begun[fmt.Sprintf("%s/%d", o, p)]}
	}
	return out
}

// await waits until each worker has so many partitions.
func (c *crew) await(want map[string]int) map[int]held {
	c.t.Helper()
	for {
		now := c.owners()
		have := map[string]int{}
		for _, o := range now {
			have[o.by]++
		}
		same := len(have) == len(want)
		for name, n := range want {
			same = same && have[name] == n
		}
		if same {
			return now
		}
		select {
		case <-c.change:
		case <-c.ctx.Done():
			c.t.Fatalf("partitions %v, want %v", have, want)
		}
	}
}

// kept fails where other handlers than those of so many partitions are new.
func (c *crew) kept(before, after map[int]held, moved int) {
	c.t.Helper()
	n := 0
	for p, o := range before {
		if after[p] != o {
			n++
		}
	}
	if n != moved {
		c.t.Errorf("%d partitions have a new handler, want %d: %v, %v", n, moved, before, after)
	}
}
