package fleet

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// sender sends the clips of some cameras, in order.
type sender struct {
	fleet *fleet
	ready chan struct{} // holds one, when there may be something to take

	mu     sync.Mutex
	jobs   []job // oldest first
	closed bool
}

func newSender(f *fleet) *sender { return &sender{fleet: f, ready: make(chan struct{}, 1)} }

// push queues a clip; a full queue drops the oldest.
func (s *sender) push(j job) {
	s.mu.Lock()
	var dropped []job
	if len(s.jobs) == s.fleet.Queue {
		dropped = append(dropped, s.jobs[0])
		s.jobs = s.jobs[1:]
	}
	s.jobs = append(s.jobs, j)
	s.mu.Unlock()
	s.wake()
	s.fleet.drop(QueueFull, dropped...)
}

func (s *sender) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.wake()
}

func (s *sender) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// take removes the oldest clips, at most n; over is whether no more come.
func (s *sender) take(n int) (jobs []job, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, len(s.jobs))
	jobs = append(jobs, s.jobs[:n]...)
	s.jobs = append([]job(nil), s.jobs[n:]...)
	return jobs, s.closed && n == 0
}

// run sends until all is sent or ctx ends.
func (s *sender) run(ctx context.Context) error {
	for ctx.Err() == nil {
		jobs, over := s.take(together)
		if over {
			return nil
		}
		if len(jobs) > 0 {
			if err := s.fleet.send(ctx, jobs); err != nil {
				return err
			}
			continue
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
		}
	}
	for jobs, _ := s.take(s.fleet.Queue); len(jobs) > 0; jobs, _ = s.take(s.fleet.Queue) {
		s.fleet.drop(Stopped, jobs...)
	}
	return nil
}

// send sends clips and notes what became of each.
func (f *fleet) send(ctx context.Context, jobs []job) error {
	msgs := make([]bus.Message, len(jobs))
	for i, j := range jobs {
		value, err := topics.EncodeClip(f.clip(j))
		if err != nil {
			return fmt.Errorf("simulate fleet: %w", err)
		}
		msgs[i] = bus.Message{Topic: f.Topic, Key: []byte(f.camera(j.camera)), Value: value, Since: j.due, Headers: append(f.headers[:1:1], trace(f.id(j)))}
	}
	refs, err := f.Send(ctx, msgs...)
	var each *bus.SendError
	errors.As(err, &each)
	for i, j := range jobs {
		why := err
		if each != nil {
			why = each.Each[i]
		}
		switch {
		case why == nil:
			f.acked(j, refs[i], len(msgs[i].Value))
		case bus.RecordRefused(why):
			f.drop(Refused, j)
		default:
			f.drop(Unanswered, j)
		}
	}
	return nil
}

func (f *fleet) id(j job) string { return topics.ClipID(f.camera(j.camera), j.epoch, j.start) }

// trace is the header with which the clip's trace begins, as the framer writes it: its ids
// are made of the clip's, and it is not recorded.
func trace(clip string) bus.Header {
	h := fnv.New128a()
	_, _ = h.Write([]byte(clip)) // never fails
	id := h.Sum(nil)
	span := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(id)|1)
	return bus.Header{Key: "traceparent", Value: []byte("00-" + hex.EncodeToString(id) + "-" + hex.EncodeToString(span) + "-00")}
}

func (f *fleet) entry(j job) Entry {
	start := j.epoch.Add(j.start)
	return Entry{
		Clip: f.id(j), Camera: f.camera(j.camera), Epoch: j.epoch, Sequence: j.sequence, Start: start, End: start.Add(f.Window), Shows: shows(j.pictures),
	}
}

func (f *fleet) acked(j job, at topics.RecordRef, bytes int) {
	e := f.entry(j)
	e.At = &at
	f.totals.acked(bytes, time.Since(j.due))
	f.Note(e)
}

func (f *fleet) drop(reason string, jobs ...job) {
	for _, j := range jobs {
		e := f.entry(j)
		e.Dropped = reason
		f.totals.drop(reason)
		f.Note(e)
	}
}

// totals are what Run returns.
type totals struct {
	mu sync.Mutex
	r  Result
}

func newTotals() totals { return totals{r: Result{Dropped: map[string]int{}}} }

func (t *totals) due() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Clips++
}

func (t *totals) acked(bytes int, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Acked++
	t.r.Bytes += int64(bytes)
	t.r.Slowest = max(t.r.Slowest, after)
}

func (t *totals) drop(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Dropped[reason]++
}

func (t *totals) result() Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.r
}
