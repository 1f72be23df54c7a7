package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func groupResumes(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("resume", 1)}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := c.Send(ctx, bus.Message{Topic: "resume", Key: []byte("k"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	take := func(n int) (got string) {
		t.Helper()
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		err := c.Consume(ctx, bus.GroupOptions{Group: "resume", Topic: "resume", StartFirst: true}, func(own context.Context, p *bus.Partition) error {
			for ; n > 0; n-- {
				m, err := p.Fetch(own)
				if err != nil {
					return err
				}
				got += string(m.Value)
				if err := p.Commit(own, m.Offset+1); err != nil {
					return err
				}
			}
			stop()
			<-own.Done()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if first, second := take(4), take(6); first != "0123" || second != "456789" {
		t.Errorf("read %q, then %q", first, second)
	}
}

func partitionsMove(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, 2*time.Minute), client(t, b, nil)
	const n = 4
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("moves", n)}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	owner := map[int]string{}
	changed := make(chan struct{}, 100)
	member := func(ctx context.Context, name string) error {
		return c.Consume(ctx, bus.GroupOptions{Group: "moves", Topic: "moves"}, func(ctx context.Context, p *bus.Partition) error {
			mu.Lock()
			if other := owner[p.ID()]; other != "" {
				t.Errorf("partition %d was given to %s while %s held it", p.ID(), name, other)
			}
			owner[p.ID()] = name
			mu.Unlock()
			changed <- struct{}{}
			<-ctx.Done()
			mu.Lock()
			owner[p.ID()] = ""
			mu.Unlock()
			return nil
		})
	}
	await := func(what string, want map[string]int) {
		t.Helper()
		for {
			mu.Lock()
			have := map[string]int{}
			for _, o := range owner {
				have[o]++
			}
			mu.Unlock()
			if have[""] == 0 && have["one"] == want["one"] && have["two"] == want["two"] {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				t.Fatalf("%s: owners %v, want %v", what, have, want)
			}
		}
	}
	one, stopOne := context.WithCancel(ctx)
	two, stopTwo := context.WithCancel(ctx)
	defer stopTwo()
	ends := make(chan error, 2)
	go func() { ends <- member(one, "one") }()
	await("alone", map[string]int{"one": n})
	go func() { ends <- member(two, "two") }()
	await("shared", map[string]int{"one": n / 2, "two": n / 2})
	stopOne()
	await("left", map[string]int{"two": n})
	stopTwo()
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

func handlerError(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("breaks", 1)}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := c.Consume(ctx, bus.GroupOptions{Group: "breaks", Topic: "breaks"}, func(context.Context, *bus.Partition) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
