package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// ErrStop ends a Read or ReadAll from within, without error.
var ErrStop = errors.New("stop reading")

// Read calls fn for each record of one partition from the given offset on,
// outside any group: up to the end as it was at the call, or for ever.
func (c *Client) Read(ctx context.Context, topic string, partition int, from int64, untilEnd bool, fn func(Message) error) error {
	first, next, err := c.bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	if from = max(from, first); untilEnd && from >= next {
		return nil
	}
	r := kafka.NewReader(c.readerConfig(topic, partition))
	defer func() { _ = r.Close() }()
	if err := r.SetOffset(from); err != nil {
		return fmt.Errorf("read %s/%d from %d: %w", topic, partition, from, err)
	}
	end := int64(-1)
	if untilEnd {
		end = next
	}
	return c.readOn(ctx, r, end, fn)
}

// ReadAll calls fn, one call at a time, for the records of every partition from
// the first that is not older than since (zero: from the oldest), outside any
// group: up to the end as it was at the call, or following on.
func (c *Client) ReadAll(ctx context.Context, topic string, since time.Time, follow bool, fn func(Message) error) error {
	n := 0
	if err := c.retry(ctx, "look up topic", func() (err error) { n, err = c.Partitions(ctx, topic); return err }); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	one := make(chan struct{}, 1)
	for partition := range n {
		g.Go(func() error {
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
	if err := g.Wait(); !errors.Is(err, ErrStop) {
		return err
	}
	return nil
}

// ReadSince calls fn for the records of one partition from the first that is not
// older than since, outside any group, up to the end as it was at the call.
func (c *Client) ReadSince(ctx context.Context, topic string, partition int, since time.Time, fn func(Message) error) error {
	return c.readSince(ctx, topic, partition, since, false, fn)
}

func (c *Client) readSince(ctx context.Context, topic string, partition int, since time.Time, follow bool, fn func(Message) error) error {
	first, end, err := c.bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	from := first
	if !since.IsZero() {
		if from, err = c.offsetAt(ctx, topic, partition, since, end); err != nil {
			return err
		}
	}
	if !follow && from >= end {
		return nil
	}
	r := kafka.NewReader(c.readerConfig(topic, partition))
	defer func() { _ = r.Close() }()
	if err := r.SetOffset(from); err != nil {
		return fmt.Errorf("read %s/%d from %d: %w", topic, partition, from, err)
	}
	if follow {
		end = -1
	}
	return c.readOn(ctx, r, end, fn)
}

// readOn reads until end (-1: for ever).
func (c *Client) readOn(ctx context.Context, r *kafka.Reader, end int64, fn func(Message) error) error {
	for end < 0 || r.Offset() < end {
		m, more, err := c.nextBefore(ctx, r, end)
		if err != nil || !more {
			return err
		}
		if end >= 0 && m.Offset >= end {
			return nil
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

// nextBefore reads one record. Compaction and retention leave holes, also just
// before the end: where nothing comes for a while and the broker says that it
// has nothing from there on, that was all.
func (c *Client) nextBefore(ctx context.Context, r *kafka.Reader, end int64) (Message, bool, error) {
	const quiet = 2 * time.Second
	for {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if end >= 0 {
			wait, cancel = context.WithTimeout(ctx, quiet)
		}
		m, err := fetch(wait, c.Logger, r)
		cancel()
		if err == nil {
			return m, true, nil
		}
		if ctx.Err() != nil {
			return Message{}, false, ctx.Err()
		}
		if c.nothingFrom(ctx, r) {
			return Message{}, false, nil
		}
	}
}

// nothingFrom is whether the broker has no record at or after the reader's
// offset; false also where it does not answer.
func (c *Client) nothingFrom(ctx context.Context, r *kafka.Reader) bool {
	resp, err := c.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: r.Config().Topic, Partition: r.Config().Partition, Offset: r.Offset(),
		MinBytes: 1, MaxBytes: int64(2 * c.MaxRecordBytes), MaxWait: 500 * time.Millisecond,
	})
	if err != nil || resp.Error != nil {
		return false
	}
	_, err = resp.Records.ReadRecord()
	return errors.Is(err, io.EOF)
}

// FetchOne reads the record at exactly the given offset.
func (c *Client) FetchOne(ctx context.Context, topic string, partition int, offset int64) (Message, error) {
	first, next, err := c.bounds(ctx, topic, partition)
	if err != nil {
		return Message{}, err
	}
	if offset < first || offset >= next {
		return Message{}, fmt.Errorf("read %s/%d at %d: only %d to %d are kept", topic, partition, offset, first, next-1)
	}
	var found Message
	err = c.Read(ctx, topic, partition, offset, true, func(m Message) error { found = m; return ErrStop })
	if errors.Is(err, ErrStop) && found.Offset == offset {
		return found, nil
	}
	if err == nil || errors.Is(err, ErrStop) {
		err = errors.New("the record is gone")
	}
	return Message{}, fmt.Errorf("read %s/%d at %d: %w", topic, partition, offset, err)
}

// bounds are the first offset kept and the one after the last.
func (c *Client) bounds(ctx context.Context, topic string, partition int) (first, next int64, err error) {
	p, err := c.offsets(ctx, topic, partition, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	return p.FirstOffset, p.LastOffset, err
}

// offsetAt is the offset of the first record that is not older than since, or
// end where none was so young: kafka-go's own "last" would be looked up once
// more when reading begins, and pass over what came in between.
func (c *Client) offsetAt(ctx context.Context, topic string, partition int, since time.Time, end int64) (int64, error) {
	p, err := c.offsets(ctx, topic, partition, kafka.TimeOffsetOf(partition, since))
	for offset := range p.Offsets {
		if offset >= 0 {
			return offset, err
		}
	}
	return end, err
}

func (c *Client) offsets(ctx context.Context, topic string, partition int, of ...kafka.OffsetRequest) (found kafka.PartitionOffsets, err error) {
	err = c.retry(ctx, "look up offsets", func() error {
		resp, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: of}})
		if err != nil {
			return fmt.Errorf("look up offsets of %s: %w", topic, err)
		}
		for _, p := range resp.Topics[topic] {
			if p.Partition == partition {
				found = p
				return p.Error
			}
		}
		return fmt.Errorf("look up offsets of %s/%d: %w", topic, partition, kafka.UnknownTopicOrPartition)
	})
	return found, err
}
