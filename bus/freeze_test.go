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

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// freezers are brokers that can be frozen.
var freezers = []struct {
	name  string
	start func(testing.TB) kafkatest.Freezer
}{
	{"embedded", func(t testing.TB) kafkatest.Freezer { return kafkatest.StartFreezable(t) }},
	{"kafka", func(t testing.TB) kafkatest.Freezer { return kafkatest.NewKafka(t) }},
}

func TestAFrozenBrokerHoldsNothingUp(t *testing.T) {
	for _, backend := range freezers {
		t.Run(backend.name, func(t *testing.T) { freeze(t, backend.start(t)) })
	}
}

func freeze(t *testing.T, b kafkatest.Freezer) {
	var out logs
	ctx, c := within(t, 2*time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.NewTextHandler(&out, nil)))
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
		} else if !errors.Is(err, context.DeadlineExceeded) || raw(err.Error()) != "" {
			t.Errorf("%s of a frozen broker: %q; want it in plain words, and of a deadline", call.name, err)
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
	if err := <-ended; err != nil || time.Since(begun) > bus.Grace+1500*time.Millisecond {
		t.Errorf("consuming ended with %v after %v", err, time.Since(begun))
	}
	if words := raw(out.String()); words != "" {
		t.Errorf("the log says %q:\n%s", words, &out)
	}
}

// A broker that says nothing for longer than a session has forgotten its members
// when it is back, and they come back one by one. Whatever they were committing
// then, each goes on with the partitions that it had, without starting anew.
func TestAFreezeBeyondTheSessionIsOutlived(t *testing.T) {
	for _, backend := range freezers {
		t.Run(backend.name, func(t *testing.T) { outliveFreeze(t, backend.start(t)) })
	}
}

func outliveFreeze(t *testing.T, b kafkatest.Freezer) {
	const partitions = 6
	ctx, c := within(t, 2*time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("forgotten", partitions)}); err != nil {
		t.Fatal(err)
	}
	own, stop := context.WithCancel(ctx)
	defer stop()
	var begun, committed [2][partitions]atomic.Int64 // by member
	var members sync.WaitGroup
	for i := range 2 {
		client := clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
		members.Go(func() {
			err := client.Consume(own, bus.GroupOptions{Group: "forgotten", Topic: "forgotten", StartFirst: true, AnyKey: true}, func(ctx context.Context, p *bus.Partition) error {
				begun[i][p.ID()].Add(1)
				return commitAllTheTime(ctx, p, keyFor(ctx, t, client, "forgotten", p.ID()), &committed[i][p.ID()])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	count := func(all *[2][partitions]atomic.Int64) (out [2][partitions]int64) {
		for i := range all {
			for p := range all[i] {
				out[i][p] = all[i][p].Load()
			}
		}
		return out
	}
	// goesOn is whether every partition has commits since, and each member has some.
	goesOn := func(since [2][partitions]int64) bool {
		now := count(&committed)
		var by [2]bool
		for p := range partitions {
			more := [2]bool{now[0][p] > since[0][p], now[1][p] > since[1][p]}
			if !more[0] && !more[1] {
				return false
			}
			by[0], by[1] = by[0] || more[0], by[1] || more[1]
		}
		return by[0] && by[1]
	}
	until(ctx, t, "both members to share the partitions", func() bool {
		since := count(&committed)
		time.Sleep(50 * time.Millisecond) // a handler that has ended commits no more
		return goesOn(since)
	})
	before, done := count(&begun), count(&committed)
	b.Freeze(t)
	time.Sleep(9 * time.Second) // longer than the session
	if f, ok := b.(*kafkatest.Freezable); ok {
		comeBackOneByOne(f)
	}
	b.Thaw(t)
	until(ctx, t, "commits of every partition after the thaw", func() bool { return goesOn(done) })
	if after := count(&begun); after != before {
		t.Errorf("handlers were begun %v times by member and partition, %v before the freeze: some started anew or moved", after, before)
	}
	stop()
	members.Wait()
}

// A member that died while the broker was silent is waited for, and then replaced.
func TestAMemberThatDoesNotComeBackAfterAFreezeIsReplaced(t *testing.T) {
	t.Parallel()
	b := kafkatest.StartFreezable(t)
	c := newCrew(t, b, "missed", 6)
	one, two := c.start(b, "one"), c.start(b, "two")
	before := c.await(map[string]int{"one": 3, "two": 3})
	b.Freeze(t)
	_ = two.client.Close()
	time.Sleep(7 * time.Second) // longer than the session
	b.Thaw(t)
	after := c.await(map[string]int{"one": 6})
	c.kept(before, after, 3)
	for _, w := range []*worker{one, two} {
		w.stop()
		if err := <-w.ended; err != nil {
			t.Error(err)
		}
	}
}

// comeBackOneByOne lets the second member join only after the first has been
// assigned its partitions, as happens when the pauses between attempts differ.
func comeBackOneByOne(b *kafkatest.Freezable) {
	var joined, assigned atomic.Bool
	b.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		join := req.(*kmsg.JoinGroupRequest)
		if join.MemberID != "" || !joined.Swap(true) || assigned.Load() {
			return nil, nil, false
		}
		resp := join.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return resp, nil, true
	})
	b.ControlKey(int16(kmsg.SyncGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		assigned.Store(true)
		return nil, nil, false
	})
}

// commitAllTheTime sends and commits until ctx ends, and counts the commits.
func commitAllTheTime(ctx context.Context, p *bus.Partition, key []byte, committed *atomic.Int64) error {
	for {
		refs, err := p.Send(ctx, bus.Message{Topic: p.Topic(), PartitionBy: key, Value: []byte("x")})
		if err != nil {
			return err
		}
		// One whose offset is not committed is done again.
		if p.Commit(ctx, refs[0].Offset+1) == nil {
			committed.Add(1)
		}
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
