package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/topics"
)

// ReaderOptions say where to read from.
type ReaderOptions struct {
	Log    Log     // nil: only what the bucket holds
	Bucket *Bucket // nil: only what Kafka still keeps
	Names  topics.Names
	// Parallel is how many partitions are read at a time; each holds up to some
	// 30 MB. 0: 4.
	Parallel int
}

// Reader reads the past. Safe for concurrent use.
type Reader struct{ ReaderOptions }

// NewReader checks the options. Nothing is read before the first call.
func NewReader(o ReaderOptions) (*Reader, error) {
	if o.Log == nil && o.Bucket == nil {
		return nil, errors.New("read the archive: neither Kafka nor a bucket is given")
	}
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	return &Reader{o}, nil
}

// Actions calls fn for each recognition of the range: one call at a time, those
// of one camera in order, each record once. If infer repeated work after a
// crash, Kafka holds a duplicate record with the same clip id, and both are
// passed to fn. What can't be read is counted and skipped. fn may return
// ErrStop.
func (r *Reader) Actions(ctx context.Context, g Range, fn func(Record[topics.Recognition]) error) (Counts, error) {
	return read(ctx, r, actionsCodec(), g, fn)
}

// Alerts calls fn for each raise and each clear of the range, as Actions does.
func (r *Reader) Alerts(ctx context.Context, g Range, fn func(Record[topics.Alert]) error) (Counts, error) {
	return read(ctx, r, alertsCodec(), g, fn)
}

// Clips calls fn for each clip of the range that Kafka still keeps, as Actions does:
// clips are not archived.
func (r *Reader) Clips(ctx context.Context, g Range, fn func(Record[topics.Clip]) error) (Counts, error) {
	if r.Log == nil {
		return Counts{}, errors.New("read clips: no Kafka is given")
	}
	alone := &Reader{r.ReaderOptions}
	alone.Bucket = nil
	return read(ctx, alone, clipsCodec(), g, fn)
}

func clipsCodec() codec[topics.Clip] {
	return codec[topics.Clip]{
		topic:  topics.Clips,
		decode: topics.DecodeClip,
		camera: func(c topics.Clip) string { return c.Camera },
		when:   topics.Clip.EndTime,
	}
}

// errStopped stands for the caller's ErrStop within this package: to Kafka's Replay,
// ErrStop would mean the end of one partition alone.
var errStopped = errors.New("stopped")

// pass is one reading of a range.
type pass[T any] struct {
	*Reader
	codec[T]
	name  string // of the topic, in full
	asked Range
	since time.Time // record times that are looked at
	until time.Time
	give  func(Record[T]) error // the caller's
	// one is full while give runs or counts change.
	one    chan struct{}
	counts Counts
	// onKafka is how many partitions Kafka has of the topic.
	onKafka int
}

func newPass[T any](r *Reader, c codec[T], g Range, fn func(Record[T]) error) *pass[T] {
	p := &pass[T]{Reader: r, codec: c, name: r.Names.Of(c.topic), asked: g, give: fn, one: make(chan struct{}, 1)}
	p.since, p.until = g.recorded()
	return p
}

func read[T any](ctx context.Context, r *Reader, c codec[T], g Range, fn func(Record[T]) error) (Counts, error) {
	p := newPass(r, c, g, fn)
	err := p.run(ctx, func(ctx context.Context, partition int, segments []Segment) error {
		return p.partition(ctx, partition, segments, p.segment)
	})
	return p.counts, err
}

// run calls do for the topic's partitions, some at a time.
func (p *pass[T]) run(ctx context.Context, do func(ctx context.Context, partition int, segments []Segment) error) error {
	err := p.asked.check()
	if err == nil {
		err = p.each(ctx, do)
	}
	if err != nil && !errors.Is(err, errStopped) {
		return fmt.Errorf("read %s: %w", p.name, err)
	}
	return nil
}

func (p *pass[T]) each(ctx context.Context, do func(ctx context.Context, partition int, segments []Segment) error) error {
	parts, onKafka, err := partitionsOf(ctx, p.Reader, p.topic, p.since, p.until)
	if err != nil {
		return err
	}
	p.onKafka = onKafka
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.Parallel)
	for partition, segments := range parts {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return do(ctx, partition, segments)
		})
	}
	return group.Wait()
}

// partitionsOf returns a topic's partitions, each with its segments of the days from
// since to until. Those from onKafka on are in the bucket alone: the topic was made anew
// with fewer.
func partitionsOf(ctx context.Context, r *Reader, t topics.Topic, since, until time.Time) (found map[int][]Segment, onKafka int, err error) {
	found = map[int][]Segment{}
	if r.Log != nil {
		if onKafka, err = r.Log.Partitions(ctx, r.Names.Of(t)); err != nil {
			return nil, 0, err
		}
		for partition := range onKafka {
			found[partition] = nil
		}
	}
	if r.Bucket == nil {
		return found, onKafka, nil
	}
	segments, err := r.Bucket.segments(ctx, t, since, until, nil)
	maps.Copy(found, byPartition(segments))
	return found, onKafka, err
}

// locked calls do while no other partition's reader is in such a call.
func (p *pass[T]) locked(ctx context.Context, do func() error) error {
	p.one <- struct{}{}
	defer func() { <-p.one }()
	// After an error in one partition the caller's function is not called again.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return do()
}

// offer passes a record to the caller's function, if it is in the range.
func (p *pass[T]) offer(ctx context.Context, r Record[T]) error {
	return p.locked(ctx, func() error {
		p.counts.Records++
		if p.asked.Seen != nil {
			p.asked.Seen(p.counts, r.Time)
		}
		switch {
		case !p.asked.camera(p.camera(r.Value)):
			p.counts.OtherCamera++
			return nil
		case !p.asked.time(p.when(r.Value)):
			p.counts.OutOfRange++
			return nil
		}
		p.counts.Given++
		if err := p.give(r); !errors.Is(err, ErrStop) {
			return err
		}
		return errStopped
	})
}

func (p *pass[T]) unreadable(ctx context.Context, partition int, offset int64, err error) error {
	return p.locked(ctx, func() error {
		p.counts.Records++
		p.counts.Unreadable++
		p.counts.because(fmt.Sprintf("partition %d, offset %d", partition, offset), err)
		return nil
	})
}

func (p *pass[T]) stale(ctx context.Context) error {
	return p.locked(ctx, func() error {
		p.counts.Records++
		p.counts.Stale++
		return nil
	})
}
