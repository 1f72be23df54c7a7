package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

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
	change chan struct{}
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
	c.mu.Unlock()
	c.change <- struct{}{}
	<-ctx.Done()
	// What is in hand is finished, and still sent.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), bus.Grace/2)
	defer cancel()
	_, _ = p.Send(finish, bus.Message{Topic: c.topic, Key: []byte("last"), Value: []byte(w.name)})
	c.mu.Lock()
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

func TestAWorkerDisturbsOnlyWhatMoves(t *testing.T) {
	for _, backend := range []struct {
		name  string
		start func(testing.TB) kafkatest.Freezer
	}{
		{"embedded", func(t testing.TB) kafkatest.Freezer { return kafkatest.StartFreezable(t) }},
		{"kafka", func(t testing.TB) kafkatest.Freezer { return kafkatest.NewKafka(t) }},
	} {
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
	if len(c.clash) > 0 {
		t.Errorf("held by two at once: %v", c.clash)
	}
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

func TestAFrozenBrokerHoldsNothingUp(t *testing.T) {
	for _, backend := range []struct {
		name  string
		start func(testing.TB) kafkatest.Freezer
	}{
		{"embedded", func(t testing.TB) kafkatest.Freezer { return kafkatest.StartFreezable(t) }},
		{"kafka", func(t testing.TB) kafkatest.Freezer { return kafkatest.NewKafka(t) }},
	} {
		t.Run(backend.name, func(t *testing.T) { freeze(t, backend.start(t)) })
	}
}

func freeze(t *testing.T, b kafkatest.Freezer) {
	ctx, c := within(t, 2*time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("frozen", 1)}); err != nil {
		t.Fatal(err)
	}
	held := make(chan *bus.Partition, 10)
	own, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- c.Consume(own, bus.GroupOptions{Group: "frozen", Topic: "frozen", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
			held <- p
			for {
				if _, err := p.Fetch(ctx); err != nil {
					return err
				}
			}
		})
	}()
	p := <-held
	send := func(ctx context.Context) error {
		_, err := p.Send(ctx, bus.Message{Topic: "frozen", Value: []byte("x")})
		return err
	}
	if err := send(ctx); err != nil {
		t.Fatal(err)
	}
	b.Freeze(t)
	for _, call := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"ping", c.Ping},
		{"send", send},
		{"commit", func(ctx context.Context) error { return p.Commit(ctx, 1) }},
		{"bounds", func(ctx context.Context) error { _, _, err := p.Bounds(ctx); return err }},
		{"offset at", func(ctx context.Context) error { _, err := c.OffsetAt(ctx, "frozen", 0, time.Now()); return err }},
		{"fetch one", func(ctx context.Context) error { _, err := c.FetchOne(ctx, "frozen", 0, 0); return err }},
		{"read all", func(ctx context.Context) error {
			return c.ReadAll(ctx, "frozen", time.Time{}, false, func(bus.Message) error { return nil })
		}},
		{"ensure", func(ctx context.Context) error { return c.Ensure(ctx, []bus.TopicSpec{spec("frozen-2", 1)}) }},
	} {
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		begun := time.Now()
		if err := call.do(short); err == nil || time.Since(begun) > 10*time.Second {
			t.Errorf("%s of a frozen broker: %v after %v", call.name, err, time.Since(begun))
		}
		cancel()
	}
	waits := make(chan error, 1)
	go func() { waits <- send(ctx) }()
	b.Thaw(t)
	if err := <-waits; err != nil {
		t.Errorf("what waited for the thaw: %v", err)
	}
	if len(held) != 0 {
		t.Error("the handler was begun anew")
	}
	b.Freeze(t)
	defer b.Thaw(t)
	begun := time.Now()
	stop()
	if err := <-ended; err != nil || time.Since(begun) > bus.Grace+10*time.Second {
		t.Errorf("consuming ended with %v after %v", err, time.Since(begun))
	}
}

func TestWhatIsBeyondTheEndIsReported(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	var out logs
	reader := sdkmetric.NewManualReader()
	c, err := bus.New(bus.Options{Brokers: []string{b.Addr()}, Logger: slog.New(slog.NewTextHandler(&out, nil)),
		Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
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
		if got := counts(t, reader)["frostwatch.kafka.records_lost"]; got != 98 {
			t.Errorf("%d records are counted as lost, want 98", got)
		}
		return done
	})
}

// A broker that says nothing for longer than a session has forgotten its members
// when it is back. Whatever they were committing then, they go on.
func TestAFreezeBeyondTheSessionIsOutlived(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	const partitions = 4
	ctx, c := within(t, 2*time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("forgotten", partitions)}); err != nil {
		t.Fatal(err)
	}
	own, stop := context.WithCancel(ctx)
	defer stop()
	var committed [partitions]atomic.Int64
	ended := make(chan error, 1)
	go func() {
		ended <- c.Consume(own, bus.GroupOptions{Group: "forgotten", Topic: "forgotten", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
			for {
				refs, err := p.Send(ctx, bus.Message{Topic: "forgotten", PartitionBy: keyFor(ctx, t, c, "forgotten", p.ID()), Value: []byte("x")})
				if err != nil {
					return err
				}
				// One whose offset is not committed is done again.
				if p.Commit(ctx, refs[0].Offset+1) == nil {
					committed[p.ID()].Add(1)
				}
			}
		})
	}()
	all := func(more [partitions]int64) bool {
		for i := range committed {
			if committed[i].Load() <= more[i] {
				return false
			}
		}
		return true
	}
	until(ctx, t, "commits of every partition", func() bool { return all([partitions]int64{}) })
	b.Freeze(t)
	time.Sleep(8 * time.Second) // longer than the session
	var before [partitions]int64
	for i := range committed {
		before[i] = committed[i].Load()
	}
	b.Thaw(t)
	until(ctx, t, "commits of every partition after the thaw", func() bool { return all(before) })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// keyFor is a key whose records go to the partition.
func keyFor(ctx context.Context, t *testing.T, c *bus.Client, topic string, partition int) []byte {
	for i := range 10_000 {
		key := fmt.Append(nil, i)
		if at, err := c.PartitionOf(ctx, topic, key); err == nil && at == partition {
			return key
		}
	}
	t.Errorf("no key goes to partition %d", partition)
	return nil
}
