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
}

// Table returns the table that the topic of that full name is.
func (c *Client) Table(topic string) *Table { return &Table{client: c, topic: topic} }

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
	if err := t.read(ctx, false, l.take, nil); err != nil {
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
	return t.read(ctx, true, fn, caughtUp)
}

// keepAgain is how long Keep waits before it reads a table anew.
const keepAgain = 30 * time.Second

// Keep follows the table until ctx ends, also where it can't be read. read is called
// with nil whenever the records that existed have been read, and with the reason
// whenever the table can't be read; it is then read anew, from its beginning, every 30
// seconds. A record for which take returns an error is logged and skipped.
func (t *Table) Keep(ctx context.Context, take func(Message) error, read func(error)) {
	for {
		err := t.Follow(ctx, func(m Message) error {
			if err := take(m); err != nil {
				t.client.Logger.WarnContext(ctx, "record of a table skipped", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "error", err)
			}
			return nil
		}, func() { read(nil) })
		if ctx.Err() != nil {
			return
		}
		read(err)
		if !pause.For(ctx, keepAgain) {
			return
		}
	}
}

func (t *Table) read(ctx context.Context, follow bool, fn func(Message) error, caughtUp func()) error {
	n, err := t.client.partitions(ctx, t.topic)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	behind := n
	one := func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		return fn(m)
	}
	arrived := func() {
		mu.Lock()
		defer mu.Unlock()
		if behind--; behind == 0 && caughtUp != nil {
			caughtUp()
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
		arrived()
		if !follow {
			return nil
		}
		return t.client.follow(ctx, t.topic, partition, end, one)
	})
}
