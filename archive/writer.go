package archive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
)

// lease is a partition that is held; *bus.Partition is one.
type lease interface {
	ID() int
	// Committed is the next offset to archive; below 0: nothing was archived yet.
	Committed() int64
	Commit(ctx context.Context, next int64) error
}

// hourGrace is how long after its hour a segment is complete although no newer
// record has come: brokers' clocks differ a little.
const hourGrace = time.Minute

// writer archives one topic.
type writer[T any] struct {
	*Stage
	codec[T]
	name string // of the topic, in full
}

// partition writes one partition's segments until ctx ends. Records are only read
// once a segment is complete, so that waiting needs no memory.
func (w *writer[T]) partition(ctx context.Context, p lease) error {
	next, err := w.begin(ctx, p)
	for err == nil {
		if err = w.await(ctx, p.ID(), next); err == nil {
			next, err = w.segment(ctx, p, next)
		}
	}
	if errors.Is(err, bus.ErrMoved) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin returns the offset to go on at.
func (w *writer[T]) begin(ctx context.Context, p lease) (int64, error) {
	first, end, err := w.Bus.Bounds(ctx, w.name, p.ID())
	if err != nil {
		return 0, err
	}
	next := p.Committed()
	switch {
	case next < 0:
		return first, nil
	case next < first:
		w.metrics.dropped.Add(ctx, first-next, reasonDeleted)
		w.Logger.ErrorContext(ctx, "archive: Kafka deleted records before they were archived: run the archive stage all the time, or keep records longer on Kafka",
			"topic", w.name, "partition", p.ID(), "records", first-next)
		return first, nil
	case next > end:
		w.Logger.ErrorContext(ctx, "archive: the partition ends before what was archived of it: Kafka lost records; going on at its end",
			"topic", w.name, "partition", p.ID(), "archived", next, "end", end)
		return end, nil
	}
	return next, nil
}

// await returns when the segment that begins at an offset is complete: its last
// offset is there, or its hour is over and it is not empty.
func (w *writer[T]) await(ctx context.Context, partition int, from int64) error {
	var hourEnd time.Time // of the first record, once it is known
	for {
		_, end, err := w.Bus.Bounds(ctx, w.name, partition)
		if err != nil {
			return err
		}
		if end >= blockEnd(from) {
			return nil
		}
		if end > from && hourEnd.IsZero() {
			if hourEnd, err = w.hourEnd(ctx, partition, from, end); err != nil {
				return err
			}
		}
		if !hourEnd.IsZero() {
			over := w.Bus.Age(bus.Message{Time: hourEnd})
			// A time far in the future is wrong: waiting for it would be for nothing.
			if over > hourGrace || over < -2*time.Hour {
				return nil
			}
		}
		// At random, so that partitions are not checked all at once.
		if !pause.For(ctx, w.Poll/2+rand.N(w.Poll)) {
			return ctx.Err()
		}
	}
}

// hourEnd is when the hour of the first record at or after an offset is over;
// zero where there is none.
func (w *writer[T]) hourEnd(ctx context.Context, partition int, from, end int64) (at time.Time, err error) {
	err = w.Bus.Replay(ctx, w.name, partition, from, end, func(m bus.Message) error {
		at = hourOf(m.Time).Add(time.Hour)
		return bus.ErrStop
	})
	if err != nil && !errors.Is(err, bus.ErrStop) {
		return at, err
	}
	return at, nil
}

// segment writes the segment that begins at an offset, commits, and returns
// where the next one begins.
func (w *writer[T]) segment(ctx context.Context, p lease, from int64) (int64, error) {
	select {
	case w.building <- struct{}{}:
	case <-ctx.Done():
		return from, ctx.Err()
	}
	defer func() { <-w.building }()
	b, err := w.gather(ctx, p.ID(), from)
	if err != nil {
		return from, err
	}
	content, meta, err := w.encode(b.name, b.records, b.skipped)
	if err != nil {
		return from, fmt.Errorf("encode %s: %w", b.name.Key(), err)
	}
	if err := w.upload(ctx, b.name.Key(), content); err != nil {
		return from, err
	}
	if err := p.Commit(ctx, b.name.To); err != nil {
		return from, err
	}
	w.metrics.segments.Add(ctx, 1)
	w.metrics.records.Add(ctx, meta.Rows)
	w.metrics.dropped.Add(ctx, meta.Skipped, reasonUnusable)
	w.metrics.written.Add(ctx, int64(len(content)))
	w.Logger.DebugContext(ctx, "archive: segment written", "segment", b.name.Key(), "rows", meta.Rows, "bytes", len(content))
	return b.name.To, nil
}

// batch is a segment's records.
type batch[T any] struct {
	name    Name
	records []Record[T]
	skipped int64
}

// errCut ends the reading of a segment.
var errCut = errors.New("the segment is complete")

// gather reads the records of the segment that begins at an offset.
func (w *writer[T]) gather(ctx context.Context, partition int, from int64) (batch[T], error) {
	_, end, err := w.Bus.Bounds(ctx, w.name, partition)
	if err != nil {
		return batch[T]{}, err
	}
	c := cut{from: from}
	b := batch[T]{name: Name{Topic: w.topic, Partition: partition, From: from, To: min(end, blockEnd(from))}}
	err = replay(ctx, w.Bus, w.topic, w.name, partition, from, b.name.To, func(m bus.Message, stale bool) error {
		if !c.takes(m) {
			b.name.To = m.Offset
			return errCut
		}
		if stale {
			b.skipped++
			return nil
		}
		record, err := w.fromMessage(m)
		if err != nil {
			b.skipped++
			w.Logger.DebugContext(ctx, "archive: record left out", "topic", w.name, "partition", partition, "offset", m.Offset, "error", err)
			return nil
		}
		b.records = append(b.records, record)
		return nil
	})
	if err != nil && !errors.Is(err, errCut) {
		return b, err
	}
	// Kafka may have deleted all of it by age: then no record has the hour.
	b.name.Hour = c.hour
	if !c.any {
		b.name.Hour = hourOf(w.Now())
	}
	return b, nil
}

// upload tries until the segment is stored or ctx ends.
func (w *writer[T]) upload(ctx context.Context, key string, content []byte) error {
	const part, most = "archive bucket", time.Minute
	defer w.Reporter.Problem(part, nil)
	for wait := time.Second; ; wait = min(2*wait, most) {
		err := w.Bucket.put(ctx, key, content)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		w.Reporter.Problem(part, err)
		w.Logger.ErrorContext(ctx, "archive: segment not stored, trying again", "error", err)
		if !pause.For(ctx, wait/2+rand.N(wait)) {
			return ctx.Err()
		}
	}
}
