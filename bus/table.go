package bus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Table is a compacted topic: the newest record of each key counts, and one with an
// empty value removes the key. Safe for concurrent use.
type Table struct {
	client *Client
	topic  string
	again  time.Duration // how long Keep waits before it reads a table anew
}

// Table returns the table that the topic of that full name is.
func (c *Client) Table(topic string) *Table { return &Table{client: c, topic: topic, again: keepAgain} }

// Topic is its full name.
func (t *Table) Topic() string { return t.topic }

// Put writes the value of a key, to the partition of partitionBy: a camera, for
// keys that name one; empty: that of the key.
func (t *Table) Put(ctx context.Context, key string, value []byte, partitionBy string) (topics.RecordRef, error) {
	if len(value) == 0 {
		return topics.RecordRef{}, errors.New("put into " + t.topic + ": an empty value would remove the key")
	}
	return t.write(ctx, key, value, partitionBy)
}

// Delete removes a key; partitionBy as it was put.
func (t *Table) Delete(ctx context.Context, key, partitionBy string) error {
	_, err := t.write(ctx, key, nil, partitionBy)
	return err
}

func (t *Table) write(ctx context.Context, key string, value []byte, partitionBy string) (topics.RecordRef, error) {
	m := Message{Topic: t.topic, Key: []byte(key), Value: value}
	if partitionBy != "" {
		m.PartitionBy = []byte(partitionBy)
	}
	refs, err := t.client.Send(ctx, m)
	if err != nil {
		return topics.RecordRef{}, err
	}
	return refs[0], nil
}

// List returns the newest record of each key, as of the call. It fails where they take
// more than 256 MB.
func (t *Table) List(ctx context.Context) (map[string]Message, error) {
	l := listing{rows: map[string]Message{}, most: maxListed}
	if err := t.read(ctx, false, l.take, func([]int64) {}); err != nil {
		return nil, err
	}
	return l.rows, nil
}

// Follow calls fn for every record, one call at a time, also for those that remove a
// key: first those that exist, then new ones as they come. It ends when ctx does
// (returning its error) or when fn returns an error (ErrStop: nil). caughtUp, if not
// nil, is called once, when the records that existed at the call have been read.
// Records of one key are in order.
func (t *Table) Follow(ctx context.Context, fn func(Message) error, caughtUp func()) error {
	return t.read(ctx, true, fn, func([]int64) {
		if caughtUp != nil {
			caughtUp()
		}
	})
}

// keepAgain is how long Keep waits after it could not read a table.
const keepAgain = 30 * time.Second

// Keep follows the table until ctx ends, also where it can't be read. read is called
// with nil whenever the records that existed have been read, and with the reason
// whenever the table can't be read; it is then read anew, from its beginning, every 30
// seconds. A record for which take returns an error is logged and skipped. A row that was
// taken and is no longer there when the table has been read anew is removed: take gets a
// record of its key without value and time. That holds for keys of 64 MB in all.
func (t *Table) Keep(ctx context.Context, take func(Message) error, read func(error)) {
	k := newKept(maxKept)
	one := func(m Message) {
		k.see(m)
		if err := take(m); err != nil {
			t.client.Logger.WarnContext(ctx, "record of a table skipped", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "error", err)
		}
	}
	for {
		k.begin()
		err := t.read(ctx, true, func(m Message) error { one(m); return nil }, func(next []int64) {
			for _, m := range k.gone(t.topic, next) {
				one(m)
			}
			read(nil)
		})
		if ctx.Err() != nil {
			return
		}
		read(err)
		if !pause.For(ctx, t.again) {
			return
		}
	}
}

// read calls fn for every record, and caughtUp once those that existed have been read,
// with the offset after them of each partition; neither at the same time as another.
func (t *Table) read(ctx context.Context, follow bool, fn func(Message) error, caughtUp func(next []int64)) error {
	n, err := t.client.partitions(ctx, t.topic)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	behind, next := n, make([]int64, n)
	one := func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		return fn(m)
	}
	arrived := func(partition int, end int64) {
		mu.Lock()
		defer mu.Unlock()
		next[partition] = end
		if behind--; behind == 0 {
			caughtUp(next)
		}
	}
	return t.client.each(ctx, n, func(ctx context.Context, partition int) error {
		_, end, err := t.client.Bounds(ctx, t.topic, partition)
		if err != nil {
			return err
		}
		if err := t.client.Replay(ctx, t.topic, partition, 0, end, one); err != nil {
			return err
		}
		arrived(partition, end)
		if !follow {
			return nil
		}
		return t.client.follow(ctx, t.topic, partition, end, one)
	})
}
