package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

// partition reads one partition in the order of its offsets: segments with read,
// and from Kafka what no segment holds.
func (p *pass[T]) partition(ctx context.Context, partition int, segments []Segment, read readSegment) error {
	w := walk{
		since: p.since, until: p.until,
		segment: func(s Segment, from int64) (int64, error) { return read(ctx, s, from) },
		log:     func(from, to int64) error { return p.replay(ctx, partition, from, to) },
	}
	if partition < p.onKafka && p.asked.onKafka(partition) {
		var err error
		if w.first, w.end, err = bounds(ctx, p.Log, p.name, partition, p.since); err != nil {
			return err
		}
	}
	return w.run(segments)
}

// readSegment reads a segment from an offset on, and returns the offset after the
// last that it has dealt with: the segment's end, or less where the segment is broken
// from there on.
type readSegment func(ctx context.Context, s Segment, from int64) (int64, error)

// bounds returns the first offset that Kafka has with a record time of since or
// later, and the partition's end.
func bounds(ctx context.Context, log Log, topic string, partition int, since time.Time) (first, end int64, err error) {
	first, end, err = log.Bounds(ctx, topic, partition)
	if err != nil || since.IsZero() {
		return first, end, err
	}
	at, err := log.OffsetAt(ctx, topic, partition, since)
	return max(first, at), end, err
}

// walk goes through a partition's offsets once.
type walk struct {
	since, until time.Time // record times
	first, end   int64     // what Kafka has from since on
	segment      func(s Segment, from int64) (int64, error)
	log          func(from, to int64) error // reads [from, to) from Kafka
}

func (w walk) run(segments []Segment) error {
	next := int64(0)
	for _, s := range segments {
		// Work that was repeated from another offset gives segments that overlap.
		if !w.meets(s) || s.To <= next {
			continue
		}
		if err := w.kafka(next, min(s.From, w.end)); err != nil {
			return err
		}
		done, err := w.segment(s, max(next, s.From))
		if err != nil {
			return err
		}
		if err := w.kafka(done, min(s.To, w.end)); err != nil {
			return err
		}
		next = s.To
	}
	return w.kafka(next, w.tail(segments))
}

// meets is whether a segment's hour has something of the range.
func (w walk) meets(s Segment) bool {
	return s.Hour.Add(time.Hour).After(w.since) && !s.Hour.After(w.until)
}

// tail is where reading from Kafka ends: before the first segment of an hour after
// the range.
func (w walk) tail(segments []Segment) int64 {
	end := w.end
	for _, s := range segments {
		switch {
		case w.meets(s):
			end = w.end
		case s.Hour.After(w.until):
			end = min(end, s.From)
		}
	}
	return end
}

func (w walk) kafka(from, to int64) error {
	if from = max(from, w.first); from >= to {
		return nil
	}
	return w.log(from, to)
}

// segment passes the rows of a segment to the caller. A broken one is counted, and
// the rest of its offsets are read from Kafka.
func (p *pass[T]) segment(ctx context.Context, s Segment, from int64) (int64, error) {
	f, err := p.Bucket.open(ctx, s)
	if err != nil {
		return p.broken(ctx, from, err)
	}
	if !p.asked.meets(f.Meta) {
		return p.read(ctx, f, s.To, nil)
	}
	return p.whole(ctx, f, from)
}

// whole passes an open segment's rows to the caller as records.
func (p *pass[T]) whole(ctx context.Context, f *file, from int64) (int64, error) {
	done := from
	err := f.rows(ctx, func(r *row) error {
		offset := r.int(offsetColumn)
		if offset < done {
			return nil
		}
		if offset >= f.Name.To {
			return fmt.Errorf("read %s: %w: it has a row of offset %d", f.Key(), errBroken, offset)
		}
		done = offset + 1
		var record Record[T]
		err := guard(func() (err error) { record, err = p.fromRow(r, p.name, f.Partition); return err })
		if err != nil {
			return p.unreadable(ctx, f.Partition, offset, err)
		}
		return p.offer(ctx, record)
	})
	return p.read(ctx, f, done, err)
}

// read counts a segment that was read up to done, or to its end.
func (p *pass[T]) read(ctx context.Context, f *file, done int64, err error) (int64, error) {
	counting := p.locked(ctx, func() error {
		p.counts.Segments++
		p.counts.Bytes += f.parts.fetched
		return nil
	})
	if err != nil {
		return p.broken(ctx, done, err)
	}
	return f.Name.To, counting
}

// broken counts a segment that reading again does not mend. done is where it broke.
func (p *pass[T]) broken(ctx context.Context, done int64, err error) (int64, error) {
	if !errors.Is(err, errBroken) {
		return done, err
	}
	return done, p.locked(ctx, func() error {
		p.counts.Broken++
		p.counts.because("a segment", err)
		return nil
	})
}

// replay passes on what Kafka has of [from, to), up to where the range is over.
func (p *pass[T]) replay(ctx context.Context, partition int, from, to int64) error {
	afterwards := 0
	err := replay(ctx, p.Log, p.topic, p.name, partition, from, to, func(m bus.Message, stale bool) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if m.Time.After(p.until) {
			if afterwards++; afterwards == laterInARow {
				return errOver
			}
			return nil
		}
		afterwards = 0
		if stale {
			return p.stale(ctx)
		}
		record, err := p.fromMessage(m)
		if err != nil {
			return p.unreadable(ctx, partition, m.Offset, err)
		}
		return p.offer(ctx, record)
	})
	if errors.Is(err, errOver) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("partition %d from offset %d: %w", partition, from, err)
	}
	return nil
}

// errOver ends the reading of one partition.
var errOver = errors.New("the range is over")
