package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// Partition is one partition of a topic that this member of a group owns for
// now. It is used by one goroutine, except Commit, which any may call.
type Partition struct {
	client    *Client
	topic     string
	id        int
	committed int64
	reader    *kafka.Reader
	commit    func(next int64) error

	mu   sync.Mutex
	done int64 // highest offset committed in this generation
}

// ErrMoved is returned by Commit when the partition has another owner by now.
var ErrMoved = errors.New("the partition was given to another member of the group")

// Topic is the topic's full name.
func (p *Partition) Topic() string { return p.topic }

// ID is the partition's number.
func (p *Partition) ID() int { return p.id }

// Committed is the next offset to be read by the group when the partition was
// assigned, or -1 when the group had committed none.
func (p *Partition) Committed() int64 { return p.committed }

// Bounds are the first offset kept and the offset that the next record gets.
func (p *Partition) Bounds(ctx context.Context) (first, next int64, err error) {
	return p.client.bounds(ctx, p.topic, p.id)
}

// Fetch waits for the next record. It returns an error only when ctx ends:
// while the broker is away it goes on trying, and where records have been
// deleted by retention it goes on at the first that is left.
func (p *Partition) Fetch(ctx context.Context) (Message, error) {
	return fetch(ctx, p.client.Logger, p.reader)
}

func fetch(ctx context.Context, log *slog.Logger, r *kafka.Reader) (Message, error) {
	const patience = time.Minute
	var logged time.Time
	for {
		m, err := r.FetchMessage(ctx)
		if err == nil {
			return fromMessage(m), nil
		}
		if ctx.Err() != nil {
			return Message{}, ctx.Err()
		}
		if time.Since(logged) > patience {
			log.WarnContext(ctx, "kafka: reading again", "topic", r.Config().Topic, "partition", r.Config().Partition, "error", err)
			logged = time.Now()
		}
		if !pause.For(ctx, 100*time.Millisecond) {
			return Message{}, ctx.Err()
		}
	}
}

// SeekOffset sets the offset that Fetch reads next.
func (p *Partition) SeekOffset(offset int64) error {
	if err := p.reader.SetOffset(offset); err != nil {
		return fmt.Errorf("seek %s/%d to %d: %w", p.topic, p.id, offset, err)
	}
	return nil
}

// SeekTime sets Fetch to the first record not older than t.
func (p *Partition) SeekTime(ctx context.Context, t time.Time) error {
	return p.client.retry(ctx, "seek by time", func() error {
		if err := p.reader.SetOffsetAt(ctx, t); err != nil {
			return fmt.Errorf("seek %s/%d to %v: %w", p.topic, p.id, t, err)
		}
		return nil
	})
}

// Commit records that everything before next is finished with. Lower offsets
// than already committed are ignored. It tries until ctx ends or the partition
// has moved (ErrMoved).
func (p *Partition) Commit(ctx context.Context, next int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next <= p.done {
		return nil
	}
	err := p.client.retry(ctx, "commit offset", func() error {
		err := p.commit(next)
		for _, code := range []kafka.Error{kafka.IllegalGeneration, kafka.UnknownMemberId, kafka.FencedInstanceID} {
			if errors.Is(err, code) {
				return ErrMoved
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", p.topic, p.id, next, err)
	}
	p.done = next
	return nil
}
