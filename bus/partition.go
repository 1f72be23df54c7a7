package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/topics"
)

// Partition is one partition of a topic that this member of a group holds for
// now. Fetch, the seeks, ReadToEnd and SkipOlder are for one goroutine; all else
// may be called by any.
type Partition struct {
	client     *Client
	topic      string
	id         int
	committed  int64
	startFirst bool
	generation int
	r          *cursor
	commit     func(next int64) error

	mu   sync.Mutex
	done int64 // highest offset committed in this generation
}

// ErrMoved is returned when the partition has another owner by now.
var ErrMoved = errors.New("the partition was given to another member of the group")

// Topic is the topic's full name.
func (p *Partition) Topic() string { return p.topic }

// ID is the partition's number.
func (p *Partition) ID() int { return p.id }

// Generation rises whenever the group's partitions are given out anew.
func (p *Partition) Generation() int { return p.generation }

// Committed is the next offset to be read by the group when the partition was
// assigned, or -1 when the group had committed none.
func (p *Partition) Committed() int64 { return p.committed }

// Bounds are the first offset kept and the offset that the next record gets.
func (p *Partition) Bounds(ctx context.Context) (first, next int64, err error) {
	return p.client.Bounds(ctx, p.topic, p.id)
}

// Lag is how many records there are that Fetch has not returned, as of the last
// answer of the broker.
func (p *Partition) Lag() int64 { return max(p.r.r.Lag(), 0) }

// Fetch waits for the next record. It returns an error only when ctx ends:
// while the broker is away it goes on trying, and where records have been
// deleted by retention it goes on at the first that is left.
func (p *Partition) Fetch(ctx context.Context) (Message, error) { return p.r.next(ctx) }

// ReadToEnd calls fn for the records from an offset on (lower than the first that
// is kept: from there) to the end as it is at the call, holes and all, and leaves
// Fetch after that end. ErrStop from fn ends it earlier, with Fetch after the
// record.
func (p *Partition) ReadToEnd(ctx context.Context, from int64, fn func(Message) error) error {
	first, end, err := p.Bounds(ctx)
	if err != nil {
		return err
	}
	if from = max(from, first); from < end {
		p.r.seek(from)
		err := p.r.readTo(ctx, end, fn)
		if errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	p.r.seek(max(from, end))
	return nil
}

// SkipOlder moves Fetch on to the first record that is not older than age, by the
// broker's clock, and returns how many offsets that passed over. It never moves
// back.
func (p *Partition) SkipOlder(ctx context.Context, age time.Duration) (skipped int64, err error) {
	first, end, err := p.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	at := p.r.r.Offset()
	switch {
	case at < 0 && !p.startFirst:
		at = end
	case at < first:
		at = first
	}
	young, err := p.client.OffsetAt(ctx, p.topic, p.id, p.client.clock.now().Add(-age))
	if err != nil || young <= at {
		return 0, err
	}
	p.r.seek(young)
	return young - at, nil
}

// SeekOffset sets the offset that Fetch reads next.
func (p *Partition) SeekOffset(offset int64) error {
	p.r.seek(offset)
	return nil
}

// SeekTime sets Fetch to the first record not older than t.
func (p *Partition) SeekTime(ctx context.Context, t time.Time) error {
	offset, err := p.client.OffsetAt(ctx, p.topic, p.id, t)
	if err != nil {
		return err
	}
	return p.SeekOffset(offset)
}

// Send is Client.Send for what follows from the partition's records: it is sent
// only while the partition is held, with the generation under which it is, and
// returns ErrMoved once it is another's.
func (p *Partition) Send(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error) {
	stamped := slices.Clone(msgs)
	for i := range stamped {
		HeaderCarrier{Headers: &stamped[i].Headers}.Set(topics.HeaderGeneration, strconv.Itoa(p.generation))
	}
	return p.client.Send(ctx, stamped...)
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
