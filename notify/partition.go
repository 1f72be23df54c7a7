package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// lease is a partition that is held; *bus.Partition is one.
type lease interface {
	ID() int
	Committed() int64
	Bounds(ctx context.Context) (first, next int64, err error)
	SeekOffset(offset int64) error
	SkipOlder(ctx context.Context, age time.Duration) (skipped int64, err error)
	FetchInto(ctx context.Context, into chan<- bus.Message) error
	Commit(ctx context.Context, next int64) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
}

// partition delivers one partition's alerts to a receiver until ctx ends.
func (d *delivery) partition(ctx context.Context, p lease) error {
	w := &worker{delivery: d, lease: p, pace: newPace(d.receiver.Group.Every, d.limit), later: newWithheld(), films: &awaited{}, letters: d.letters.By(p.Send)}
	err := w.begin(ctx)
	if err == nil {
		err = w.run(ctx)
	}
	if errors.Is(err, bus.ErrMoved) { // another worker has it: ctx ends soon
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// worker delivers one partition. Its fields are for one goroutine, but films.
type worker struct {
	*delivery
	lease
	pace    *pace
	later   *withheld
	films   *awaited
	letters *bus.DeadLetters
	next    int64 // after the last record that was dealt with, or is held
}

// begin sets where to go on. A new receiver gets what happens from now on, and
// what its group has not delivered for longer than it keeps is passed over.
func (w *worker) begin(ctx context.Context) error {
	w.next = w.Committed()
	if w.next < 0 {
		_, end, err := w.Bounds(ctx)
		if err != nil {
			return err
		}
		w.next = end
		// Committed at once, or what comes while this worker is away would be lost.
		return errors.Join(w.SeekOffset(end), w.Commit(ctx, end), w.loadWithheld(ctx, true, false))
	}
	skipped, err := w.SkipOlder(ctx, time.Duration(w.Keep))
	if skipped > 0 {
		w.next += skipped
		w.metrics.expired.Add(ctx, skipped, w.by)
		w.Logger.WarnContext(ctx, "alerts are too old to be delivered", "receiver", w.Name, "partition", w.ID(), "records", skipped, "older_than", time.Duration(w.Keep))
		w.Reporter.Incident(w.part(), fmt.Errorf("%d records of alerts are older than %v and are not delivered", skipped, time.Duration(w.Keep)))
	}
	return errors.Join(err, w.loadWithheld(ctx, false, skipped > 0))
}

// run reads ahead by one record, so that it can wait for a record and for the time at
// which something that is held is due.
func (w *worker) run(ctx context.Context) error {
	records := make(chan bus.Message)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.FetchInto(ctx, records) })
	g.Go(func() error { return w.work(ctx, records) })
	g.Go(func() error { return w.deliverFilms(ctx) })
	return g.Wait()
}

func (w *worker) work(ctx context.Context, records <-chan bus.Message) error {
	for {
		if err := w.step(ctx, records); err != nil {
			return err
		}
		next := w.pace.first(w.next)
		if err := w.commit(ctx, next); err != nil {
			return err
		}
		if err := w.settle(ctx, next); err != nil {
			return err
		}
	}
}

// commit puts on record what has been dealt with, also when the worker stops.
func (w *worker) commit(ctx context.Context, next int64) error {
	ctx, end := pause.Outlive(ctx, finishTime)
	defer end()
	return w.Commit(ctx, next)
}

// step deals with the next record, or with what is held and has become due.
func (w *worker) step(ctx context.Context, records <-chan bus.Message) error {
	if w.pace.full() {
		records = nil
	}
	_, changed := w.silences.state()
	if err := w.releaseDue(ctx); err != nil {
		return err
	}
	if err := w.settle(ctx, w.pace.first(w.next)); err != nil { // which is committed
		return err
	}
	var due <-chan time.Time
	if wait, some := w.waits(); some {
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case m := <-records:
		return w.take(ctx, m)
	case <-due:
		return w.flush(ctx)
	case <-changed: // something may be silenced no more
		return nil
	}
}

// waits is how long it takes until something may be due.
func (w *worker) waits() (time.Duration, bool) {
	wait, some := w.pace.wait(time.Now())
	if later, may := w.waitForDue(); may && (!some || later < wait) {
		return later, true
	}
	return wait, some
}

// take deals with a record: it is delivered, held, silenced, or of no interest.
func (w *worker) take(ctx context.Context, m bus.Message) error {
	w.next = m.Offset + 1
	if w.generations.Stale(m) {
		return nil
	}
	a, err := topics.DecodeAlert(m.Value)
	if err != nil {
		w.metrics.unreadable.Add(ctx, 1, w.by)
		w.Logger.WarnContext(ctx, "a record of alerts can't be read", "receiver", w.Name, "partition", m.Partition, "offset", m.Offset, "error", topics.Clean(err.Error()))
		return nil
	}
	w.missNamed(ctx, a)
	if !w.chooses(a) {
		return nil
	}
	quiet, err := w.silenced(ctx, a, m)
	if err != nil {
		return err
	}
	if quiet {
		w.metrics.silenced.Add(ctx, 1, w.by)
		return nil
	}
	said, held, err := w.judged(ctx, a, m)
	if err != nil || held || !w.wants(a.State) {
		return err
	}
	e := w.event(a).judged(said)
	e.from, e.evidence = m, w.evidenceOf(a)
	if !w.pace.offer(e, w.receiver.Group.of(a), m.Offset, time.Now()) {
		w.metrics.held.Add(ctx, 1, w.by)
		return nil
	}
	return w.deliver(ctx, e)
}

// flush delivers what was held and is due.
func (w *worker) flush(ctx context.Context) error {
	for {
		events, some := w.pace.due(time.Now())
		if !some {
			return nil
		}
		if err := w.deliver(ctx, events...); err != nil {
			return err
		}
	}
}
