package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func spec(name string, partitions int) bus.TopicSpec {
	return bus.TopicSpec{Name: name, Partitions: partitions, Replication: 1,
		Config: map[string]string{"cleanup.policy": "delete", "retention.ms": "86400000"}}
}

func TestBus(t *testing.T) {
	onEach(t, func(t *testing.T, b kafkatest.Broker) {
		t.Run("records come back whole", func(t *testing.T) { recordsComeBackWhole(t, b) })
		t.Run("sending gives positions", func(t *testing.T) { sendPositions(t, b) })
		t.Run("a stretch is replayed", func(t *testing.T) { replayStretch(t, b) })
		t.Run("a partition is read, skipped and sent for", func(t *testing.T) { partitionReads(t, b) })
		t.Run("a table keeps the newest", func(t *testing.T) { tableKeepsNewest(t, b) })
		t.Run("reading begins at a time", func(t *testing.T) { readingBeginsAtATime(t, b) })
		t.Run("a topic that differs is told and left", func(t *testing.T) { differenceIsWarned(t, b) })
		t.Run("a group goes on where it committed", func(t *testing.T) { groupResumes(t, b) })
		t.Run("partitions move between members", func(t *testing.T) { partitionsMove(t, b) })
		t.Run("a handler's error ends consuming", func(t *testing.T) { handlerError(t, b) })
		t.Run("too large is refused at once", func(t *testing.T) { tooLarge(t, b) })
		t.Run("nothing acknowledged is lost by a restart", func(t *testing.T) { survivesRestart(t, b) })
	})
}

func recordsComeBackWhole(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("whole", 3)}); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte{1, 2, 3, 4}, 50_000)
	sent := []bus.Message{
		{Topic: "whole", Key: []byte("a"), Value: big, Headers: []bus.Header{{Key: "h", Value: []byte{0, 255}}, {Key: "h", Value: nil}}},
		{Topic: "whole", Key: []byte("a"), Value: nil},
		{Topic: "whole", Key: []byte("b"), Value: []byte("x")},
	}
	if _, err := c.Send(ctx, sent...); err != nil {
		t.Fatal(err)
	}
	got := map[string][]bus.Message{}
	err := c.ReadAll(ctx, "whole", time.Time{}, false, func(m bus.Message) error {
		got[string(m.Key)] = append(got[string(m.Key)], m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got["a"]) != 2 || len(got["b"]) != 1 {
		t.Fatalf("read %d of a and %d of b", len(got["a"]), len(got["b"]))
	}
	first := got["a"][0]
	if !bytes.Equal(first.Value, big) || len(first.Headers) != 2 || !bytes.Equal(first.Headers[0].Value, []byte{0, 255}) {
		t.Error("the first record came back changed")
	}
	if len(got["a"][1].Value) != 0 {
		t.Error("a tombstone came back with a value")
	}
	one, err := c.FetchOne(ctx, "whole", first.Partition, first.Offset)
	if err != nil || !bytes.Equal(one.Value, big) {
		t.Errorf("fetch one: %v", err)
	}
	if _, err := c.FetchOne(ctx, "whole", first.Partition, 99); err == nil {
		t.Error("a record that never was is found")
	}
}

func readingBeginsAtATime(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("times", 1)}); err != nil {
		t.Fatal(err)
	}
	noon := time.Now().Truncate(time.Second).Add(-time.Hour)
	send := func(value string, at time.Time) {
		t.Helper()
		if _, err := c.Send(ctx, bus.Message{Topic: "times", Key: []byte("k"), Value: []byte(value), Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		send(strconv.Itoa(i), noon.Add(time.Duration(i)*time.Minute))
	}
	for since, want := range map[time.Duration]string{-time.Minute: "0123", 0: "0123", time.Second: "123", 3 * time.Minute: "3", 4 * time.Minute: ""} {
		got := ""
		err := c.ReadSince(ctx, "times", 0, noon.Add(since), func(m bus.Message) error { got += string(m.Value); return nil })
		if err != nil || got != want {
			t.Errorf("since noon and %v: read %q, %v; want %q", since, got, err, want)
		}
	}
	followed := make(chan string)
	go func() {
		got := ""
		err := c.ReadAll(ctx, "times", noon.Add(4*time.Minute), true, func(m bus.Message) error { got += string(m.Value); return bus.ErrStop })
		if err != nil {
			t.Error(err)
		}
		followed <- got
	}()
	send("4", noon.Add(5*time.Minute)) // whether the reader is there already or not
	if got := <-followed; got != "4" {
		t.Errorf("followed on from after the last record: read %q", got)
	}
}

func differenceIsWarned(t *testing.T, b kafkatest.Broker) {
	var out bytes.Buffer
	ctx, c := within(t, time.Minute), client(t, b, slog.New(slog.NewTextHandler(&out, nil)))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("differs", 2)}); err != nil {
		t.Fatal(err)
	}
	other := spec("differs", 5)
	other.Config["retention.ms"] = "3600000"
	if err := c.Ensure(ctx, []bus.TopicSpec{other}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"setting=partitions have=2 want=5", "setting=retention.ms have=86400000 want=3600000"} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("no warning %q in:\n%s", want, &out)
		}
	}
	if n, err := c.Partitions(ctx, "differs"); err != nil || n != 2 {
		t.Errorf("%d partitions, %v: the topic was altered", n, err)
	}
}

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
