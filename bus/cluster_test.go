package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// Of three nodes one may be lost, also the one that coordinates the group, and all
// goes on. When two are, nothing is acknowledged, and sending goes on by itself when
// the second is back.
func TestWhatIsAcknowledgedIsOnAMajority(t *testing.T) {
	cluster := kafkatest.StartCluster(t, 3)
	var out logs
	ctx, c := within(t, 3*time.Minute), clientOf(t, cluster.Addrs(), slog.New(slog.NewTextHandler(&out, nil)))
	const topic = "majority"
	var spec bus.TopicSpec
	for _, s := range topics.Specs(1, 3) {
		if s.Topic == topics.Clips {
			spec = bus.TopicSpec{Name: topic, Partitions: s.Partitions, Replication: 3, Config: s.Config}
		}
	}
	if err := c.Ensure(ctx, []bus.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	if got := configOf(ctx, t, cluster.Addrs(), topic, "min.insync.replicas"); got != "2" {
		t.Errorf("the topic has min.insync.replicas=%s, want 2 of 3", got)
	}

	sender, reader := sendNumbers(ctx, t, c, topic), commitNumbers(ctx, t, c, topic)
	more := func(what string) {
		t.Helper()
		sent, read := sender.acknowledged(), reader.committed.Load()
		until(ctx, t, what, func() bool { return sender.acknowledged() > sent+20 && reader.committed.Load() > read })
	}
	more("records sent and committed with three nodes")
	first := cluster.Coordinator(t, topic)
	second := (first + 1) % 3
	cluster.Nodes[first].Kill(t)
	more("records sent and committed with two nodes")
	cluster.Nodes[second].Kill(t)
	short, cancel := context.WithTimeout(ctx, 8*time.Second)
	_, err := c.Send(short, bus.Message{Topic: topic, Key: []byte("k"), Value: []byte("refused")})
	cancel()
	if !errors.Is(err, context.DeadlineExceeded) || bus.Permanent(err) || raw(err.Error()) != "" {
		t.Errorf("sending to one node of three: %v; want an error in plain words that passes", err)
	}
	t.Logf("sending to one node of three: %v", err)
	cluster.Nodes[second].Start(t)
	more("records sent and committed with the second node back")
	if words := raw(out.String()); words != "" {
		t.Errorf("the log says %q:\n%s", words, &out)
	}
	if n := reader.begun.Load(); n != 1 {
		t.Errorf("the handler was begun %d times, want once", n)
	}

	reader.end()
	refs := sender.end()
	found := map[int64]string{}
	if err := c.Replay(ctx, topic, 0, 0, -1, func(m bus.Message) error { found[m.Offset] = string(m.Value); return nil }); err != nil {
		t.Fatal(err)
	}
	for i, ref := range refs {
		if found[ref.Offset] != strconv.Itoa(i) {
			t.Errorf("record %d was acknowledged at %d, where %q is", i, ref.Offset, found[ref.Offset])
		}
	}
}

// numbers are records that are sent one after the other.
type numbers struct {
	mu   sync.Mutex
	refs []topics.RecordRef
	stop context.CancelFunc
	done chan struct{}
}

func sendNumbers(ctx context.Context, t *testing.T, c *bus.Client, topic string) *numbers {
	ctx, stop := context.WithCancel(ctx)
	n := &numbers{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		for i := 0; ctx.Err() == nil; i++ {
			refs, err := c.Send(ctx, bus.Message{Topic: topic, Key: []byte("k"), Value: strconv.AppendInt(nil, int64(i), 10)})
			if err != nil {
				if ctx.Err() == nil {
					t.Error(err)
				}
				return
			}
			n.mu.Lock()
			n.refs = append(n.refs, refs[0])
			n.mu.Unlock()
		}
	}()
	t.Cleanup(func() { n.end() })
	return n
}

func (n *numbers) acknowledged() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.refs)
}

// end stops sending, and returns where each number is that was acknowledged.
func (n *numbers) end() []topics.RecordRef {
	n.stop()
	<-n.done
	return n.refs
}

// reader is a member of a group that commits what it reads.
type reader struct {
	begun, committed atomic.Int64
	end              func()
}

func commitNumbers(ctx context.Context, t *testing.T, c *bus.Client, topic string) *reader {
	ctx, stop := context.WithCancel(ctx)
	r := &reader{}
	var done sync.WaitGroup
	r.end = func() { stop(); done.Wait() }
	done.Go(func() {
		err := c.Consume(ctx, bus.GroupOptions{Group: topic, Topic: topic, StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
			r.begun.Add(1)
			for {
				m, err := p.Fetch(ctx)
				if err != nil {
					return err
				}
				if p.Commit(ctx, m.Offset+1) == nil {
					r.committed.Add(1)
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.end)
	return r
}

func configOf(ctx context.Context, t *testing.T, brokers []string, topic, key string) string {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport}).DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{key}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range resp.Resources[0].ConfigEntries {
		if e.ConfigName == key {
			return e.ConfigValue
		}
	}
	return ""
}
