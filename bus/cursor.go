package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/segmentio/kafka-go"
)

// cursor reads one partition. It is used by one goroutine, except lag.
type cursor struct {
	client *Client
	at     place
	offset atomic.Int64 // of the next record to be returned
	end    atomic.Int64 // as of the broker's last answer; 0: none yet

	rest  []byte // received batches that are not decoded yet
	batch batch
	limit int // bytes asked for

	logged time.Time // when trouble was last reported
	wait   time.Duration
	beyond int   // how many answers in a row said that the offset is beyond the end
	again  bool  // nothing of the newest answer could be used, though there may be more
	asked  int64 // the offset that the newest answer with batches was for; -1: none
	doubts int   // how often in a row a batch at the offset was beyond the end
}

// maxDoubts is how often a batch beyond the end is fetched again.
const maxDoubts = 3

func (c *Client) cursor(topic string, partition int, from int64) *cursor {
	r := &cursor{client: c, at: place{topic, partition}, limit: fetchBytes, asked: -1}
	r.offset.Store(from)
	return r
}

func (r *cursor) seek(offset int64) {
	r.offset.Store(offset)
	r.rest, r.batch, r.asked = nil, batch{}, -1
}

// lag is how many offsets there are from the next record to the end, as of the
// broker's last answer.
func (r *cursor) lag() int64 { return max(r.end.Load()-r.offset.Load(), 0) }

// next waits for a record. It returns an error when ctx ends, or when the broker
// refuses for good; while it is away it goes on trying.
func (r *cursor) next(ctx context.Context) (Message, error) {
	for {
		if m, ok := r.buffered(ctx); ok {
			return m, nil
		}
		if err := r.fill(ctx, fetchWait); err != nil {
			return Message{}, err
		}
	}
}

// readTo calls fn for the records before end, an offset that the partition has
// reached, and leaves the cursor at end. Compaction and retention leave gaps, also
// just before the end.
func (r *cursor) readTo(ctx context.Context, end int64, fn func(Message) error) error {
	for short := 0; r.offset.Load() < end; {
		if m, ok := r.buffered(ctx); ok {
			if m.Offset >= end {
				break
			}
			if err := fn(m); err != nil {
				return err
			}
			continue
		}
		if r.offset.Load() >= end {
			break
		}
		if err := r.fill(ctx, 0); err != nil {
			return err
		}
		if len(r.rest) > 0 || r.beyond > 0 || r.again {
			continue
		}
		// Nothing follows: that was all, unless this broker has not caught up yet.
		if r.end.Load() >= end || short == 20 {
			break
		}
		short++
		if !pause.For(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.seek(end)
	return nil
}

// buffered returns the next record of what was received.
func (r *cursor) buffered(ctx context.Context) (Message, bool) {
	for {
		m, ok, err := r.batch.record(r.at)
		switch {
		case err != nil:
			r.broken(ctx, r.batch.next, err)
		case ok && m.Offset >= r.offset.Load() && !r.batch.control:
			r.offset.Store(m.Offset + 1)
			return m, true
		case ok:
			continue
		}
		// Compaction may have removed the last offsets of a batch, too.
		r.offset.Store(max(r.offset.Load(), r.batch.next))
		if !r.open(ctx) {
			r.batch = batch{}
			return Message{}, false
		}
	}
}

// open decodes the next batch that was received. false: none that can be read is left,
// and more is to be fetched.
func (r *cursor) open(ctx context.Context) bool {
	here := r.rest
	next, rest, ok, err := nextBatch(here)
	r.batch, r.rest = next, nil
	if !ok {
		return false
	}
	if err == nil && next.next > r.end.Load() {
		// Kafka looks up the end that it answers before it reads the batches: what is
		// appended in between lies beyond it (readRecords in its Partition.scala).
		if r.doubts++; r.doubts <= maxDoubts {
			r.asked = -1
			return false
		}
		err = fmt.Errorf("%w: its offsets are beyond the end of the log", errBroken)
	}
	r.doubts = 0
	if err != nil {
		// Where the next one begins is not known either: fetch again.
		r.broken(ctx, r.after(here), err)
		return false
	}
	r.rest = rest
	return true
}

// after is the offset at which to continue after the broken batch at the start of b:
// the end that its header gives, if that is plausible, or else the next offset.
func (r *cursor) after(b []byte) int64 {
	w := wireReader{b: b}
	base := w.int64()
	w.take(4 + 4 + 1 + 4 + 2) // length, epoch, format, checksum, attributes
	last := int64(w.int32())
	w.take(8 + 8 + 8 + 2 + 4) // times, producer
	count := int64(w.int32())
	offset := r.offset.Load()
	if next := base + last + 1; w.err == nil && last >= 0 && count == last+1 && base >= 0 && next > offset && next <= r.end.Load() {
		return next
	}
	return offset + 1
}

// broken reports a batch that can't be read, and continues at next, so that it does
// not block its partition.
func (r *cursor) broken(ctx context.Context, next int64, err error) {
	from := max(r.offset.Load(), min(r.batch.base, next-1))
	next = max(next, from+1)
	r.passed(ctx, next-from)
	r.client.Logger.ErrorContext(ctx, "kafka: records that can't be read are skipped",
		"topic", r.at.topic, "partition", r.at.partition, "from", from, "to", next-1, "error", err)
	r.offset.Store(next)
}

// passed counts records that can't be read any more.
func (r *cursor) passed(ctx context.Context, n int64) {
	r.client.metrics.lost(ctx, r.at, n)
}

// fill fetches once, and pauses a little if that fails.
func (r *cursor) fill(ctx context.Context, wait time.Duration) error {
	offset := r.offset.Load()
	r.again = false
	got, err := r.client.fetch(ctx, r.at, offset, wait, r.limit)
	if err == nil {
		r.end.Store(got.next)
		r.rest, r.wait, r.beyond = got.batches, 0, 0
		if len(r.rest) > 0 {
			r.check(ctx, offset)
		}
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A broker that can't read its records may still know how many there are.
	r.end.Store(max(r.end.Load(), got.next))
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return r.back(ctx, offset)
	}
	if permanent(err) {
		return err
	}
	if time.Since(r.logged) > time.Minute {
		r.client.Logger.WarnContext(ctx, "kafka: reading failed, trying again", "topic", r.at.topic, "partition", r.at.partition, "error", err)
		r.logged = time.Now()
	}
	r.wait = min(max(2*r.wait, 50*time.Millisecond), time.Second)
	if !pause.For(ctx, r.wait/2+rand.N(r.wait)) {
		return ctx.Err()
	}
	return nil
}

// check makes sure that an answer with batches advances the cursor.
func (r *cursor) check(ctx context.Context, offset int64) {
	_, _, whole, _ := nextBatch(r.rest)
	switch {
	case !whole && len(r.rest) >= r.limit && r.limit < maxAnswer/2: // the batch is larger than the limit
		r.rest, r.limit = nil, min(2*r.limit, maxAnswer/2)
	case !whole:
		r.broken(ctx, r.after(r.rest), fmt.Errorf("%w: its length is wrong", errBroken))
		r.rest = nil
	case r.asked == offset: // the same again, without a record at the offset or after it
		r.broken(ctx, r.after(r.rest), fmt.Errorf("%w: its offsets are wrong", errBroken))
		r.rest = nil
	default:
		r.asked = offset
	}
	r.again = len(r.rest) == 0
}

// back moves the cursor from an offset outside the log to where records are.
func (r *cursor) back(ctx context.Context, offset int64) error {
	first, end, err := r.client.Bounds(ctx, r.at.topic, r.at.partition)
	if err != nil {
		return err
	}
	log := r.client.Logger.With("topic", r.at.topic, "partition", r.at.partition, "offset", offset, "first", first, "end", end)
	switch {
	case offset < first:
		log.WarnContext(ctx, "kafka: records were deleted before they were read", "records", first-offset)
		r.passed(ctx, first-offset)
		r.seek(first)
	case offset > end:
		// A leader that was just elected may not know its log's end yet.
		if r.beyond++; r.beyond < 3 {
			break
		}
		log.ErrorContext(ctx, "kafka: the offset is beyond the end of the log, which has lost records; reading on from its end", "lost", offset-end)
		r.passed(ctx, offset-end)
		r.seek(end)
		return nil
	}
	if offset >= first && !pause.For(ctx, 300*time.Millisecond) {
		return ctx.Err()
	}
	return nil
}
