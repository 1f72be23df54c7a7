package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// ErrStop ends the reading when a function that is called for records returns it;
// the call that reads returns nil.
var ErrStop = errors.New("stop reading")

// Replay calls fn for the records of one partition at offsets from `from` to
// before `to`, outside any group; to < 0: to the end as it is at the call. What
// compaction and retention have deleted is passed over; it never waits for
// records that are not there yet.
func (c *Client) Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(Message) error) error {
	first, next, err := c.Bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	if to < 0 || to > next {
		to = next
	}
	if from = max(from, first); from >= to {
		return nil
	}
	r := c.cursor(topic, partition, from)
	return stopped(r.readTo(ctx, to, fn))
}

// Follow calls fn for the records of one partition from an offset on, outside any group:
// those that there are, and then new ones as they come, until ctx ends (returning its
// error) or fn returns an error (ErrStop: nil).
func (c *Client) Follow(ctx context.Context, topic string, partition int, from int64, fn func(Message) error) error {
	return stopped(c.follow(ctx, topic, partition, from, fn))
}

// follow calls fn for the records from an offset on, until ctx ends or fn fails.
func (c *Client) follow(ctx context.Context, topic string, partition int, from int64, fn func(Message) error) error {
	r := c.cursor(topic, partition, from)
	for {
		m, err := r.next(ctx)
		if err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
}

// ReadAll calls fn, one call at a time, for the records of every partition from
// the first that is not older than since (zero: from the oldest), outside any
// group: up to the end as it was at the call, or following on.
func (c *Client) ReadAll(ctx context.Context, topic string, since time.Time, follow bool, fn func(Message) error) error {
	n, err := c.partitions(ctx, topic)
	if err != nil {
		return err
	}
	one := make(chan struct{}, 1)
	return c.each(ctx, n, func(ctx context.Context, partition int) error {
		return c.readSince(ctx, topic, partition, since, follow, func(m Message) error {
			one <- struct{}{}
			defer func() { <-one }()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fn(m)
		})
	})
}

// each calls do for every partition at the same time; ErrStop from one ends all,
// without error.
func (c *Client) each(ctx context.Context, partitions int, do func(ctx context.Context, partition int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for partition := range partitions {
		g.Go(func() error { return do(ctx, partition) })
	}
	return stopped(g.Wait())
}

func stopped(err error) error {
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// ReadSince calls fn for the records of one partition from the first that is not
// older than since, outside any group, up to the end as it was at the call.
func (c *Client) ReadSince(ctx context.Context, topic string, partition int, since time.Time, fn func(Message) error) error {
	return stopped(c.readSince(ctx, topic, partition, since, false, fn))
}

func (c *Client) readSince(ctx context.Context, topic string, partition int, since time.Time, follow bool, fn func(Message) error) error {
	from, end, err := c.Bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	if !since.IsZero() {
		if from, err = c.OffsetAt(ctx, topic, partition, since); err != nil {
			return err
		}
	}
	if follow {
		return c.follow(ctx, topic, partition, from, fn)
	}
	return c.Replay(ctx, topic, partition, from, end, fn)
}

// FetchOne reads the record at exactly the given position, which may come from
// another record and be of no partition at all.
func (c *Client) FetchOne(ctx context.Context, topic string, partition int, offset int64) (found Message, err error) {
	err = c.retry(ctx, "read a record", func() error {
		n, err := c.Partitions(ctx, topic)
		if err != nil {
			return err
		}
		if partition < 0 || partition >= n {
			return &refusedError{fmt.Sprintf("the topic has %d partitions", n)}
		}
		// One byte: a broker sends the batch with the offset complete, and no more.
		got, err := c.fetch(ctx, place{topic, partition}, offset, 0, 1)
		if errors.Is(err, kafka.OffsetOutOfRange) || err == nil && offset >= got.next {
			return &refusedError{fmt.Sprintf("only offsets from %d to before %d are kept", got.first, got.next)}
		}
		if err != nil {
			return err
		}
		one := c.cursor(topic, partition, offset)
		one.rest = got.batches
		one.end.Store(got.next)
		m, ok := one.buffered(ctx)
		if !ok || m.Offset != offset {
			return &refusedError{"the record was deleted"}
		}
		found = m
		return nil
	})
	if err != nil {
		return Message{}, fmt.Errorf("read %s/%d at %d: %w", topic, partition, offset, err)
	}
	return found, nil
}

// Bounds returns the first offset of a partition that is kept, and the offset that
// the next record will get.
func (c *Client) Bounds(ctx context.Context, topic string, partition int) (first, next int64, err error) {
	p, err := c.offsets(ctx, topic, partition, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	return p.FirstOffset, p.LastOffset, err
}

// OffsetAt returns the offset of the first record whose timestamp is t or later; if
// there is none, the offset that the next record will get.
func (c *Client) OffsetAt(ctx context.Context, topic string, partition int, t time.Time) (int64, error) {
	// The end first, so that a record appended between the two calls is not skipped.
	first, end, err := c.Bounds(ctx, topic, partition)
	if err != nil || t.UnixMilli() < 0 { // negative times mean other things to Kafka
		return first, err
	}
	p, err := c.offsets(ctx, topic, partition, kafka.TimeOffsetOf(partition, t))
	for offset := range p.Offsets {
		if offset >= 0 {
			return offset, err
		}
	}
	return end, err
}

func (c *Client) offsets(ctx context.Context, topic string, partition int, of ...kafka.OffsetRequest) (found kafka.PartitionOffsets, err error) {
	asked := fmt.Sprintf("look up offsets of %s/%d", topic, partition)
	err = c.retry(ctx, asked, func() error {
		resp, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: of}})
		if err != nil {
			return c.inWords(asked, "", err)
		}
		for _, p := range resp.Topics[topic] {
			if p.Partition == partition {
				found = p
				return c.inWords(asked, "", p.Error)
			}
		}
		return c.inWords(asked, "", kafka.UnknownTopicOrPartition)
	})
	return found, err
}
