package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// sure is a topic of one partition for what a group reads.
var sure = bus.TopicSpec{Name: "group", Partitions: 1, Replication: 1, Config: map[string]string{"cleanup.policy": "delete", "retention.ms": "86400000"}}

// onLossy is a broker on a file system that loses what was not flushed, which nobody
// flushes but the test.
func onLossy(t *testing.T) (*lossy, *embedded.Broker, *bus.Client) {
	t.Helper()
	l := mountLossy(t)
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: filepath.Join(l.dir, "kafka"), Logger: quiet(), Flush: time.Hour, Housekeeping: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table, sure}); err != nil {
		t.Fatal(err)
	}
	return l, b, c
}

// What was flushed before the power went is there, in order and once; of what came since
// there may be some. New records get offsets that no group has committed and no flushed
// record had, so that none of them is passed over.
func TestAPowerLossCostsWhatWasNotFlushed(t *testing.T) {
	l, b, c := onLossy(t)
	send(t, c, 0, 40)
	took := consume(t, c, 10)
	flush(t, b)
	send(t, c, 40, 80)
	took += consumeMore(t, c, 10)
	none := func(string) bool { return false }
	groups := func(name string) bool { return name == "groups.log" }
	for i, spared := range []func(string) bool{none, groups, none, groups, none, groups} {
		var chance *rand.Rand
		if i > 1 {
			chance = rand.New(rand.NewPCG(20, uint64(i))) //nolint:gosec // the same at each run
		}
		dir := filepath.Join(l.cutPower(t, chance, spared), "kafka")
		t.Run(fmt.Sprint("image ", i), func(t *testing.T) {
			b := started(t, dir, quiet())
			c := connect(t, b.Addr(), quiet())
			got := values(t, c)
			if len(got) < 40 || len(got) > 80 || !slices.Equal(got, upTo(len(got))) {
				t.Fatalf("it holds %v, want all up to 40 at least", got)
			}
			t.Logf("%d of 40 records that were not flushed are there", len(got)-40)
			refs, err := c.Send(within(t, time.Minute), bus.Message{Topic: sure.Name, Key: []byte("k"), Value: []byte("new")})
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 && refs[0].Offset < took { // what the group has committed is known
				t.Errorf("a new record has the offset %d, the group had committed %d", refs[0].Offset, took)
			}
			if value := nextOf(t, c, 1); i%2 == 1 && value != "new" {
				t.Errorf("the group reads %q, want the new record", value)
			}
			send(t, c, len(got), 90)
			if all := values(t, c); !slices.Equal(all, upTo(90)) {
				t.Errorf("after further records it holds %v", all)
			}
			again(t, b, dir, upTo(90))
		})
	}
}

// Power losses at any moment of a broker at work: each leaves all that was acknowledged
// before the last whole flush began.
func TestPowerLossesAtAnyMoment(t *testing.T) {
	l, b, c := onLossy(t)
	ctx, stop := context.WithCancel(within(t, time.Minute))
	defer stop()
	var acknowledged, flushed atomic.Int64
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	working.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			_, err := c.Send(ctx, bus.Message{Topic: table.Name, Key: fmt.Appendf(nil, "camera-%d", i), PartitionBy: keyOf0, Value: strconv.AppendInt(nil, int64(i), 10)})
			if err == nil {
				acknowledged.Store(int64(i) + 1)
			}
		}
	})
	working.Go(func() {
		for ctx.Err() == nil {
			n := acknowledged.Load()
			if err := b.Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
			flushed.Store(n)
		}
	})
	chance := rand.New(rand.NewPCG(4, 20)) //nolint:gosec // the same at each run
	type image struct {
		dir  string
		want int64
	}
	var images []image
	for i := range 12 {
		before := flushed.Load()
		eventually(t, "a flush of more records", func() bool { return flushed.Load() > before+int64(chance.IntN(40)) })
		want, torn := flushed.Load(), chance
		if i%3 == 0 {
			torn = nil
		}
		images = append(images, image{l.cutPower(t, torn, func(name string) bool { return strings.HasSuffix(name, ".idx") && i%2 == 0 }), want})
	}
	stop()
	working.Wait()
	for i, one := range images {
		got := values(t, connect(t, started(t, filepath.Join(one.dir, "kafka"), quiet()).Addr(), quiet()))
		if int64(len(got)) < one.want || !slices.Equal(got, upTo(len(got))) {
			t.Errorf("image %d holds %d records, want the first %d at least: %v", i, len(got), one.want, got)
		}
	}
}

// A broker flushes by itself, and when it ends.
func TestTheBrokerFlushes(t *testing.T) {
	l := mountLossy(t)
	dir := filepath.Join(l.dir, "kafka")
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: quiet(), Flush: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
		t.Fatal(err)
	}
	none := func(string) bool { return false }
	left := func() int {
		b := started(t, filepath.Join(l.cutPower(t, nil, none), "kafka"), quiet())
		defer b.Close()
		c := connect(t, b.Addr(), quiet())
		if c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}) != nil {
			return 0
		}
		return len(values(t, c))
	}
	send(t, c, 0, 5)
	eventually(t, "the records on the disk", func() bool { return left() == 5 })
	send(t, c, 5, 10)
	b.Close()
	if n := left(); n != 10 {
		t.Errorf("%d records are there after an orderly end, want 10", n)
	}
}

func flush(t *testing.T, b *embedded.Broker) {
	t.Helper()
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// consumeMore is consume for a group that has read before.
func consumeMore(t *testing.T, c *bus.Client, n int64) int64 {
	t.Helper()
	for i := range n {
		if _, err := c.Send(within(t, time.Minute), bus.Message{Topic: sure.Name, Key: []byte("k"), Value: strconv.AppendInt(nil, i, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	nextOf(t, c, n)
	return n
}

// nextOf is the value of the nth of the next records that the group has not committed,
// which it then does.
func nextOf(t *testing.T, c *bus.Client, n int64) (value string) {
	t.Helper()
	ctx, leave := context.WithCancel(within(t, time.Minute))
	defer leave()
	err := c.Consume(ctx, bus.GroupOptions{Group: "g", Topic: sure.Name, StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
		for range n {
			m, err := p.Fetch(ctx)
			if err != nil {
				return err
			}
			value = string(m.Value)
			if err := p.Commit(ctx, m.Offset+1); err != nil {
				return err
			}
		}
		leave()
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
