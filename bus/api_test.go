package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

func sendPositions(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("positions", 4)}); err != nil {
		t.Fatal(err)
	}
	var msgs []bus.Message
	for i := range 50 {
		msgs = append(msgs, bus.Message{Topic: "positions", Key: fmt.Append(nil, "alert-", i), PartitionBy: fmt.Append(nil, "camera-", i%3), Value: fmt.Append(nil, i)})
	}
	refs, err := c.Send(ctx, msgs...)
	if err != nil || len(refs) != len(msgs) {
		t.Fatalf("%d positions, %v", len(refs), err)
	}
	// An alert waits for one such reading: none takes as long as a kafka-go reader
	// takes to close, half a second.
	fetching := within(t, 20*time.Second)
	for i, ref := range refs {
		m, err := c.FetchOne(fetching, ref.Topic, ref.Partition, ref.Offset)
		if err != nil || string(m.Value) != strconv.Itoa(i) {
			t.Fatalf("at the position of %d is %q, %v", i, m.Value, err)
		}
		want, err := c.PartitionOf(ctx, "positions", fmt.Append(nil, "camera-", i%3))
		if err != nil || ref.Partition != want {
			t.Errorf("%d is in partition %d, its camera's is %d, %v", i, ref.Partition, want, err)
		}
		if i >= 3 && ref.Offset <= refs[i-3].Offset {
			t.Errorf("%d is at %d, after %d at %d", i, ref.Offset, i-3, refs[i-3].Offset)
		}
	}
	_, err = c.Send(ctx, bus.Message{Topic: "positions", Key: []byte("k"), Value: []byte("a")}, bus.Message{Topic: "positions", Key: []byte("k"), Value: make([]byte, 5<<20)},
		bus.Message{Topic: "positions", Key: []byte("k"), Value: []byte("b")})
	if !bus.Permanent(err) {
		t.Errorf("one that is too large among others: %v", err)
	}
}

func replayStretch(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("stretch", 1)}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := c.Send(ctx, bus.Message{Topic: "stretch", Key: []byte("k"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []struct {
		from, to int64
		want     string
	}{{0, -1, "0123456789"}, {3, 6, "345"}, {-5, 2, "01"}, {8, 99, "89"}, {10, 12, ""}, {5, 5, ""}} {
		got := ""
		if err := c.Replay(ctx, "stretch", 0, s.from, s.to, func(m bus.Message) error { got += string(m.Value); return nil }); err != nil || got != s.want {
			t.Errorf("from %d to %d: %q, %v; want %q", s.from, s.to, got, err, s.want)
		}
	}
	got := ""
	err := c.Replay(ctx, "stretch", 0, 0, -1, func(m bus.Message) error {
		if got += string(m.Value); got == "012" {
			return bus.ErrStop
		}
		return nil
	})
	if err != nil || got != "012" {
		t.Errorf("stopped from within: %q, %v", got, err)
	}
	// Kafka itself takes negative times for something else.
	for at, want := range map[time.Time]int64{{}: 0, time.Unix(-60, 0): 0, time.Unix(60, 0): 0, time.Now().Add(time.Hour): 10} {
		if offset, err := c.OffsetAt(ctx, "stretch", 0, at); err != nil || offset != want {
			t.Errorf("the first offset from %v on: %d, %v; want %d", at, offset, err, want)
		}
	}
}

func partitionReads(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("lease", 1), spec("follows", 1)}); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		at := time.Now()
		if i < 3 {
			at = at.Add(-time.Hour)
		}
		if _, err := c.Send(ctx, bus.Message{Topic: "lease", Key: []byte("k"), Value: fmt.Append(nil, i), Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	done := errors.New("done")
	err := c.Consume(ctx, bus.GroupOptions{Group: "lease", Topic: "lease", StartFirst: true}, func(own context.Context, p *bus.Partition) error {
		got := ""
		if err := p.ReadToEnd(own, 2, func(m bus.Message) error { got += string(m.Value); return nil }); err != nil || got != "2345" {
			t.Errorf("read to the end: %q, %v", got, err)
		}
		if err := p.SeekOffset(0); err != nil {
			t.Error(err)
		}
		if skipped, err := p.SkipOlder(own, time.Minute); err != nil || skipped != 3 {
			t.Errorf("skipped %d, %v; want the 3 that are an hour old", skipped, err)
		}
		m, err := p.Fetch(own)
		if err != nil || string(m.Value) != "3" || p.Lag() != 2 {
			t.Errorf("then comes %q, %v, with a lag of %d; want 3 and 2", m.Value, err, p.Lag())
		}
		if skipped, err := p.SkipOlder(own, time.Minute); err != nil || skipped != 0 {
			t.Errorf("skipped %d of what is young, %v", skipped, err)
		}
		if _, err := p.Send(own, bus.Message{Topic: "follows", Key: []byte("k"), Value: []byte("x")}); err != nil {
			t.Error(err)
		}
		if m, err = c.FetchOne(own, "follows", 0, 0); err != nil || (bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderGeneration) != strconv.Itoa(p.Generation()) {
			t.Errorf("sent with headers %v in generation %d, %v", m.Headers, p.Generation(), err)
		}
		return done
	})
	if !errors.Is(err, done) {
		t.Error(err)
	}
}

func tableKeepsNewest(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{{Name: "table", Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}}}); err != nil {
		t.Fatal(err)
	}
	table := c.Table("table")
	for i := range 3 {
		for _, rule := range []string{"fall", "fence"} {
			if _, err := table.Put(ctx, "lobby/"+rule, fmt.Append(nil, rule, i), "lobby"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := table.Delete(ctx, "lobby/fence", "lobby"); err != nil {
		t.Fatal(err)
	}
	rows, err := table.List(ctx)
	if err != nil || len(rows) != 1 || string(rows["lobby/fall"].Value) != "fall2" {
		t.Errorf("the table holds %v, %v", rows, err)
	}
	if _, err := table.Put(ctx, "k", nil, ""); err == nil {
		t.Error("an empty value was put")
	}
	var got []string
	caught := 0
	err = table.Follow(ctx, func(m bus.Message) error {
		got = append(got, string(m.Key)+"="+string(m.Value))
		if string(m.Value) == "new" {
			return bus.ErrStop
		}
		return nil
	}, func() {
		caught = len(got)
		go func() { _, _ = table.Put(ctx, "lobby/new", []byte("new"), "lobby") }()
	})
	if err != nil || caught != 7 || !slices.Contains(got, "lobby/fence=") || got[len(got)-1] != "lobby/new=new" {
		t.Errorf("followed %q, caught up after %d, %v", got, caught, err)
	}
}
