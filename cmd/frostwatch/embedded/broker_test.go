package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

func connect(t *testing.T, addr string, log *slog.Logger) *bus.Client {
	t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{addr}, ClientID: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// readAll is every record that the topic keeps.
func readAll(t *testing.T, c *bus.Client, topic string) (out []bus.Message) {
	t.Helper()
	err := c.ReadAll(within(t, time.Minute), topic, time.Time{}, false, func(m bus.Message) error {
		out = append(out, m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var kept = bus.TopicSpec{Name: "kept", Partitions: 3, Replication: 1,
	Config: map[string]string{"cleanup.policy": "delete", "retention.ms": "86400000"}}

// What must survive an orderly end and crashes in the middle of the work: the topics'
// settings, every acknowledged record, the groups' committed offsets, the vocabulary.
func TestNothingIsLostWithTheProcess(t *testing.T) {
	for _, end := range []string{"stopped", "killed"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			dir, sent, committed := t.TempDir(), 0, int64(0)
			for life := range 3 {
				s := startServers(t, dir)
				remembers(t, s, life, sent, committed)
				c := connect(t, s.kafka, quiet())
				committed += consume(t, c, 10)
				writing, stop := context.WithCancel(within(t, time.Minute))
				acked := make(chan int, 1)
				enough := make(chan struct{})
				go func() { acked <- keepSending(writing, c, sent, 200, enough) }()
				<-enough
				if end == "killed" {
					s.kill()
				}
				stop()
				before := sent
				if sent = <-acked; sent < before+200 {
					t.Fatalf("life %d: sending ended after %d records", life, sent-before)
				}
				if end == "stopped" {
					s.stop(t)
				}
			}
			remembers(t, startServers(t, dir), 3, sent, committed)
		})
	}
}

// keepSending sends numbered records one after another until ctx ends, says
// when there are enough of them, and returns the number after the last that was
// acknowledged.
func keepSending(ctx context.Context, c *bus.Client, from, many int, enough chan<- struct{}) int {
	for i := from; ; i++ {
		if i == from+many {
			close(enough)
		}
		key := fmt.Appendf(nil, "camera-%d", i%5)
		if _, err := c.Send(ctx, bus.Message{Topic: kept.Name, Key: key, Value: fmt.Appendf(nil, "%d %0900d", i, i)}); err != nil {
			if i < from+many {
				close(enough) // the caller will count
			}
			return i
		}
	}
}

// consume takes n records of the one partition that it is sure to find filled,
// commits them, and returns how many it took.
func consume(t *testing.T, c *bus.Client, n int64) (took int64) {
	t.Helper()
	// The group needs something to read in its first life.
	ctx, leave := context.WithCancel(within(t, time.Minute))
	for i := range n {
		if _, err := c.Send(ctx, bus.Message{Topic: "group", Key: []byte("k"), Value: strconv.AppendInt(nil, i, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	err := c.Consume(ctx, bus.GroupOptions{Group: "g", Topic: "group", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
		var next int64
		for range n {
			m, err := p.Fetch(ctx)
			if err != nil {
				return err
			}
			next = m.Offset + 1
		}
		if err := p.Commit(ctx, next); err != nil {
			return err
		}
		took = n
		leave()
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if took != n {
		t.Fatalf("the group took %d records, want %d", took, n)
	}
	return took
}

// remembers checks what earlier processes left; the first process makes the topics.
func remembers(t *testing.T, s *servers, life, sent int, committed int64) {
	t.Helper()
	ctx := within(t, time.Minute)
	var warned bytes.Buffer
	c := connect(t, s.kafka, slog.New(slog.NewTextHandler(&warned, &slog.HandlerOptions{Level: slog.LevelWarn})))
	group := bus.TopicSpec{Name: "group", Partitions: 1, Replication: 1}
	if err := c.Ensure(ctx, []bus.TopicSpec{kept, group}); err != nil {
		t.Fatal(err)
	}
	if warned.Len() > 0 {
		t.Errorf("life %d: topics differ from what was made: %s", life, warned.String())
	}
	lost := map[int]bool{}
	for i := range sent {
		lost[i] = true
	}
	last := map[string]int{} // the order within a camera
	for _, m := range readAll(t, c, kept.Name) {
		number, _, _ := bytes.Cut(m.Value, []byte(" "))
		i, err := strconv.Atoi(string(number))
		if err != nil {
			t.Fatalf("life %d: record %d/%d is torn: %.40q", life, m.Partition, m.Offset, m.Value)
		}
		if before, ok := last[string(m.Key)]; ok && i < before {
			t.Errorf("life %d: %s has %d after %d", life, m.Key, i, before)
		}
		last[string(m.Key)] = i
		delete(lost, i)
	}
	if len(lost) > 0 {
		t.Errorf("life %d: %d of %d acknowledged records are lost", life, len(lost), sent)
	}
	standsAt(t, c, life, committed)
	r := dial(t, s.redis)
	labels, err := r.HLen(ctx, "vocab").Result()
	if err != nil {
		t.Fatal(err)
	}
	if int(labels) != life {
		t.Errorf("life %d: the vocabulary has %d labels", life, labels)
	}
	if err := r.HSet(ctx, "vocab", fmt.Sprint("label ", life), "").Err(); err != nil {
		t.Fatal(err)
	}
}

// standsAt checks the offset at which the group would go on.
func standsAt(t *testing.T, c *bus.Client, life int, committed int64) {
	t.Helper()
	ctx, leave := context.WithCancel(within(t, time.Minute))
	defer leave()
	at := int64(-2)
	err := c.Consume(ctx, bus.GroupOptions{Group: "g", Topic: "group", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
		at = p.Committed()
		leave()
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if max(at, 0) != committed {
		t.Errorf("life %d: the group stands at %d, committed was %d", life, at, committed)
	}
}

// After a crash nothing of the old process is in the way of the next.
func TestACrashLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := startServers(t, dir)
	pid := pidOf(t, dial(t, s.redis))
	if unlock, err := embedded.Lock(dir); err == nil {
		unlock()
		t.Fatal("the data directory of a running process could be locked")
	}
	s.kill()
	again := startServers(t, dir)
	if now := pidOf(t, dial(t, again.redis)); now == pid {
		t.Error("the old Redis still serves")
	}
}

func TestBrokerListensOnLoopback(t *testing.T) {
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: t.TempDir(), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	host, port, err := net.SplitHostPort(b.Addr())
	if err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("listens on %s (%v), want a port of 127.0.0.1", b.Addr(), err)
	}
}

func TestBrokerStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, o := range map[string]embedded.BrokerOptions{
		"no directory": {Logger: quiet()},
		"no logger":    {Dir: t.TempDir()},
		"port taken":   {Dir: t.TempDir(), Logger: quiet(), Port: taken.Addr().(*net.TCPAddr).Port},
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := embedded.StartBroker(o); err == nil {
				b.Close()
				t.Error("started")
			}
		})
	}
}

// A machine that runs for months keeps what the policies say, and the disk
// does not fill.
func TestHousekeeping(t *testing.T) {
	ctx, dir := within(t, time.Minute), t.TempDir()
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: quiet(), Housekeeping: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := connect(t, b.Addr(), quiet())
	err = c.Ensure(ctx, []bus.TopicSpec{
		{Name: "table", Partitions: 1, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}},
		{Name: "clips", Partitions: 1, Replication: 1, Config: map[string]string{"retention.ms": "3600000", "segment.bytes": "100000"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	old, clip := time.Now().Add(-2*time.Hour), bytes.Repeat([]byte{7}, 20_000)
	for i := range 50 {
		_, err := c.Send(ctx, bus.Message{Topic: "table", Key: []byte("lobby"), Value: strconv.AppendInt(nil, int64(i), 10)},
			bus.Message{Topic: "clips", Key: []byte("lobby"), Value: clip, Time: old})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Send(ctx, bus.Message{Topic: "clips", Key: []byte("lobby"), Value: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old clips to go", func() bool { return len(readAll(t, c, "clips")) == 1 })
	if got := readAll(t, c, "clips"); string(got[0].Value) != "new" {
		t.Errorf("kept %.20q, want the new clip", got[0].Value)
	}
	// The newest batch is never compacted.
	eventually(t, "the table to be compacted", func() bool { return len(readAll(t, c, "table")) <= 2 })
	if rows := readAll(t, c, "table"); string(rows[len(rows)-1].Value) != "49" {
		t.Errorf("the table ends with %q, want the last value", rows[len(rows)-1].Value)
	}
	eventually(t, "the disk to be given back", func() bool { return bytesIn(t, dir) < 300_000 })
}

func bytesIn(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // housekeeping deletes files while we look
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
