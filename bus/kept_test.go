package bus

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// A row is removed while the table can't be read, and its removal is compacted away
// before it can be read again: the reader has to learn it all the same.
func TestARowWhoseRemovalWasCompactedAwayIsRemoved(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := New(Options{Brokers: []string{b.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	config := map[string]string{"cleanup.policy": "compact", "delete.retention.ms": "0"}
	if err := c.Ensure(ctx, []TopicSpec{{Name: "table", Partitions: 2, Replication: 1, Config: config}}); err != nil {
		t.Fatal(err)
	}
	table := c.Table("table")
	table.again = time.Millisecond
	put := func(key string) {
		t.Helper()
		if _, err := table.Put(ctx, key, []byte("value"), ""); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 { // of both partitions
		put(fmt.Sprint("row", i))
	}

	r := &keeper{rows: map[string]bool{}}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { table.Keep(ctx, r.take, r.read) })
	r.await(t, "the rows", func() bool { return len(r.rows) == 8 && r.err == nil && r.readings == 1 })

	var denied atomic.Bool
	denied.Store(true)
	b.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if !denied.Load() {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, topic := range req.(*kmsg.FetchRequest).Topics {
			out := kmsg.FetchResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, p := range topic.Partitions {
				out.Partitions = append(out.Partitions, kmsg.FetchResponseTopicPartition{Partition: p.Partition, ErrorCode: kerr.TopicAuthorizationFailed.Code})
			}
			resp.Topics = append(resp.Topics, out)
		}
		return resp, nil, true
	})
	r.await(t, "that the table can't be read", func() bool { return r.err != nil })
	if err := table.Delete(ctx, "row3", ""); err != nil {
		t.Fatal(err)
	}
	for i := range 8 { // behind the removal: what was written last is not compacted
		put(fmt.Sprint("new", i))
	}
	b.Compact()
	denied.Store(false)
	r.await(t, "the table as it is now", func() bool {
		return r.err == nil && r.readings > 1 && len(r.rows) == 15 && r.rows["new7"] && !r.rows["row3"]
	})
	if removed := r.removed["row3"]; !removed.Time.IsZero() || len(removed.Value) != 0 || removed.Topic != "table" {
		t.Errorf("row3 was removed by %+v", removed)
	}
	put("row3")
	r.await(t, "a row that is there again", func() bool { return r.rows["row3"] })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.removed) != 1 {
		t.Errorf("removed were %v", slices.Sorted(maps.Keys(r.removed)))
	}
}

// keeper is a reader of a table.
type keeper struct {
	mu       sync.Mutex
	rows     map[string]bool
	removed  map[string]Message
	readings int
	err      error
}

func (k *keeper) take(m Message) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := string(m.Key)
	if k.rows[key] = true; len(m.Value) == 0 {
		delete(k.rows, key)
		if k.removed == nil {
			k.removed = map[string]Message{}
		}
		k.removed[key] = m
	}
	return nil
}

func (k *keeper) read(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.readings++
	}
}

func (k *keeper) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		k.mu.Lock()
		done := ok()
		k.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %s: %+v", what, k)
		}
	}
}

// What is remembered is bounded: rows beyond that stay, and none is removed that is there.
func TestTheKeysThatAreKeptAreBounded(t *testing.T) {
	row := func(i int) Message { return Message{Key: fmt.Append(nil, "key", 1000+i), Value: []byte("v")} }
	const rows = 100
	k := newKept(rows * (7 + overhead))
	for range 3 {
		k.begin()
		for i := range 10 * rows {
			k.see(row(i))
		}
		if n := len(k.rows); n != rows || len(k.old) != 0 {
			t.Fatalf("%d keys are kept, and %d of before", n, len(k.old))
		}
	}
	k.begin()
	for i := range rows - 1 {
		k.see(row(i))
	}
	if gone := k.gone("t", []int64{7}); len(gone) != 1 || string(gone[0].Key) != "key1099" || gone[0].Offset != 6 {
		t.Errorf("gone are %v", gone)
	}
	k.begin()
	if gone := k.gone("t", nil); len(gone) != rows-1 || k.size != 0 {
		t.Errorf("%d are gone, %d bytes stay", len(gone), k.size)
	}
}
