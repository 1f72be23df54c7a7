package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// lease is what the gate knows of a partition.
type lease struct {
	moved bool // guarded by the gate
}

// Partition is one partition of a topic that this member of a group holds. Fetch, FetchInto,
// the seeks, ReadToEnd and SkipOlder are for one goroutine; all else may be called
// by any.
type Partition struct {
	lease
	client      *Client
	gate        *gate
	coordinator *coordinator
	at          place
	keys        *keyCheck // nil: any key may be in the partition
	r           *cursor
	// committed is what the group had committed when the lease began, done the
	// highest offset committed under it; -1: none. They are read while a commit
	// waits, by the member without which it would wait for ever.
	committed, done atomic.Int64
	// asked is the offset that was last sent to be committed: the broker may have
	// committed it although its answer was lost.
	asked      atomic.Int64
	committing chan struct{} // holds one: commits follow each other
}

// ErrMoved is returned when the partition belongs to another member by now.
var ErrMoved = errors.New("the partition was given to another member of the group")

func (m *member) newPartition(id int) *Partition {
	at := place{m.o.Topic, id}
	p := &Partition{
		client: m.client, gate: m.gate, coordinator: m.coordinator, at: at,
		r: m.client.cursor(at.topic, id, 0), committing: make(chan struct{}, 1),
	}
	p.committed.Store(-1)
	p.done.Store(-1)
	p.asked.Store(-1)
	if !m.o.AnyKey {
		p.keys = &keyCheck{client: m.client, group: m.o.Group, at: at, of: m.partitions}
	}
	return p
}

// begin sets the cursor to where the group continues.
func (p *Partition) begin(ctx context.Context, startFirst bool) error {
	err := p.client.retry(ctx, "look up the group's offset", func() error {
		offset, err := p.coordinator.committed(ctx, p.at)
		if err == nil {
			p.committed.Store(offset)
		}
		return err
	})
	if err != nil {
		return err
	}
	first, end, err := p.Bounds(ctx)
	if err != nil {
		return err
	}
	p.r.end.Store(end)
	switch {
	case p.committed.Load() >= 0:
		p.r.seek(p.committed.Load())
	case startFirst:
		p.r.seek(first)
	default:
		p.r.seek(end)
	}
	return nil
}

// expected is what the group's offset is if nobody else has committed, and no commit
// is without an answer.
func (p *Partition) expected() int64 { return max(p.committed.Load(), p.done.Load()) }

// own reports whether the group's offset is one that this handler has committed, or
// found.
func (p *Partition) own(offset int64) bool {
	return offset == p.expected() || offset >= 0 && offset == p.asked.Load()
}

// Topic is the topic's full name.
func (p *Partition) Topic() string { return p.at.topic }

// ID is the partition's number.
func (p *Partition) ID() int { return p.at.partition }

// Generation rises, not by one, whenever the group's partitions are given out
// anew, for all of its partitions, and never falls: also not when the coordinator
// has forgotten the group.
func (p *Partition) Generation() int {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.gate.generation
}

// Committed is the next offset to be read by the group when the partition was
// assigned, or -1 when the group had committed none.
func (p *Partition) Committed() int64 { return p.committed.Load() }

// Bounds are the first offset kept and the offset that the next record gets.
func (p *Partition) Bounds(ctx context.Context) (first, next int64, err error) {
	return p.client.Bounds(ctx, p.at.topic, p.at.partition)
}

// Lag is how many records there are that Fetch has not returned, as of the last
// answer of the broker.
func (p *Partition) Lag() int64 { return p.r.lag() }

// Fetch waits for the next record. It returns an error only when ctx ends, or when
// the broker refuses for good: while the broker is away it goes on trying; where
// records have been deleted, or the log has lost its end, it reports that and goes
// on with what is there.
func (p *Partition) Fetch(ctx context.Context) (Message, error) {
	m, err := p.r.next(ctx)
	if err == nil && p.keys != nil {
		p.keys.see(ctx, m)
	}
	return m, err
}

// FetchInto passes each record on, one ahead of what is taken, until Fetch returns an
// error or ctx ends. It does not close the channel.
func (p *Partition) FetchInto(ctx context.Context, into chan<- Message) error {
	for {
		m, err := p.Fetch(ctx)
		if err != nil {
			return err
		}
		select {
		case into <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ReadToEnd calls fn for the records from an offset on (lower than the first that
// is kept: from there) to the end as it is at the call, holes and all, and leaves
// Fetch after that end. ErrStop from fn ends it earlier, with Fetch after the
// record.
func (p *Partition) ReadToEnd(ctx context.Context, from int64, fn func(Message) error) error {
	first, end, err := p.Bounds(ctx)
	if err != nil {
		return err
	}
	from = max(from, first)
	p.r.seek(from)
	if from >= end {
		return nil
	}
	return stopped(p.r.readTo(ctx, end, fn))
}

// SkipOlder moves Fetch on to the first record that is not older than age, by the
// broker's clock, and returns how many offsets that passed over. It never moves
// back.
func (p *Partition) SkipOlder(ctx context.Context, age time.Duration) (skipped int64, err error) {
	first, _, err := p.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	at := max(p.r.offset.Load(), first)
	young, err := p.client.OffsetAt(ctx, p.at.topic, p.at.partition, p.client.clock.now().Add(-age))
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
	offset, err := p.client.OffsetAt(ctx, p.at.topic, p.at.partition, t)
	if err != nil {
		return err
	}
	return p.SeekOffset(offset)
}

// Send is Client.Send for what follows from the partition's records: it is sent
// only while the coordinator says that the partition is held, with the generation
// under which it is. While the group settles it waits; once the partition is
// another's it returns ErrMoved.
func (p *Partition) Send(ctx context.Context, msgs ...Message) ([]topics.RecordRef, error) {
	refs, each := make([]topics.RecordRef, len(msgs)), make([]error, len(msgs))
	left := make([]int, len(msgs)) // indexes of what waits for the lease
	for i := range msgs {
		left[i] = i
	}
	for len(left) > 0 {
		pass, err := p.gate.enter(ctx, &p.lease, len(left))
		if err != nil {
			for _, i := range left {
				each[i] = fmt.Errorf("send for %s/%d: %w", p.at.topic, p.at.partition, err)
			}
			break
		}
		stamped := make([]Message, len(left))
		for i, at := range left {
			stamped[i] = msgs[at]
			HeaderCarrier{Headers: &stamped[i].Headers}.Set(topics.HeaderGeneration, strconv.Itoa(pass.generation))
		}
		by := &permit{may: func() error { return p.gate.may(&p.lease, pass) }, leave: p.gate.leave}
		got, errs := p.client.send(ctx, by, stamped)
		for i, at := range left {
			refs[at], each[at] = got[i], errs[i]
		}
		left = slices.DeleteFunc(left, func(at int) bool { return !errors.Is(each[at], errGate) })
	}
	return refs, joinEach(each)
}

// Commit records that everything before next is finished with. Lower offsets
// than already committed are ignored. It tries until ctx ends or the partition
// has moved (ErrMoved), and waits while the group settles.
func (p *Partition) Commit(ctx context.Context, next int64) error {
	select {
	case p.committing <- struct{}{}:
		defer func() { <-p.committing }()
	case <-ctx.Done():
		return fmt.Errorf("commit %s/%d at %d: %w", p.at.topic, p.at.partition, next, ctx.Err())
	}
	if next <= p.done.Load() {
		return nil
	}
	if err := p.client.retry(ctx, "commit offset", func() error { return p.commit(ctx, next) }); err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", p.at.topic, p.at.partition, next, err)
	}
	p.done.Store(next)
	return nil
}

func (p *Partition) commit(ctx context.Context, next int64) error {
	for {
		pass, err := p.gate.enter(ctx, &p.lease, 1)
		if err != nil {
			return err
		}
		sent := time.Now()
		p.asked.Store(next)
		err = p.coordinator.commit(ctx, pass, p.at, next)
		p.gate.leave(1)
		switch {
		case err == nil:
			p.gate.confirm(pass.kafka, sent)
			return nil
		case errors.Is(err, kafka.IllegalGeneration), errors.Is(err, kafka.UnknownMemberId), errors.Is(err, kafka.RebalanceInProgress):
			// The member learns it from its next heartbeat.
			if !pause.For(ctx, beatEvery/5) {
				return ctx.Err()
			}
		default:
			return err
		}
	}
}
