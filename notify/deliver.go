package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// firstWait and longWait are the shortest and the longest wait between attempts.
	firstWait = time.Second
	longWait  = time.Minute
	// maxRefused is how often a notification may be refused.
	maxRefused = 3
	// attemptTime bounds an attempt whose receiver has no time-out of its own.
	attemptTime = time.Minute
	// answerTime is how long an attempt may take on when its worker stops: what a receiver
	// has accepted by then is not delivered again by the next.
	answerTime = bus.Grace / 2
	// finishTime is how long it may take then to put on record that it was accepted.
	finishTime = bus.Grace / 6
)

// deliver sends events until the receiver has accepted them, has refused them for good,
// or they are too old. An error means that ctx has ended or the partition has moved before
// that is known: they are delivered again then.
func (w *worker) deliver(ctx context.Context, events ...Event) error {
	w.illustrate(ctx, events)
	n := Notification{Receiver: w.Name, Events: events}
	refused := 0
	for tries := 1; ; tries++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := w.attempt(ctx, n)
		if err == nil {
			w.Reporter.Warning(w.part(), nil)
			return w.accepted(ctx, events)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.Reporter.Warning(w.part(), err)
		w.metrics.failed.Add(ctx, 1, w.by)
		if errors.Is(err, ErrRefused) {
			refused++
		}
		if old := w.age(events[0]) > time.Duration(w.Keep); old || refused >= maxRefused {
			return w.giveUp(ctx, events, err)
		}
		if tries == 1 || tries%10 == 0 {
			w.Logger.WarnContext(ctx, "an alert is not delivered yet", "receiver", w.Name, "event", topics.Clean(events[0].Key), "tries", tries, "error", topics.Clean(err.Error()))
		}
		if !pause.For(ctx, pause.Backoff(firstWait, w.longest, tries)) {
			return ctx.Err()
		}
	}
}

// attempt sends once. Its error is fit to be shown.
func (w *worker) attempt(ctx context.Context, n Notification) error {
	ctx, end := pause.Outlive(ctx, answerTime)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	if err := w.Sender.Send(ctx, n); err != nil {
		return fmt.Errorf("deliver to %s: %w", w.Name, err)
	}
	return nil
}

func (w *worker) accepted(ctx context.Context, events []Event) error {
	ctx, end := pause.Outlive(ctx, finishTime)
	defer end()
	w.metrics.sent.Add(ctx, int64(len(events)), w.by)
	for _, e := range events {
		w.metrics.latency.Record(w.traced(ctx, e), w.age(e).Seconds(), w.by)
	}
	if err := w.filmed(ctx, events); err != nil {
		return err
	}
	return w.told(ctx, heldOf(events)...)
}

// traced returns a context with the trace of the clip that led to an event.
func (w *worker) traced(ctx context.Context, e Event) context.Context {
	if w.Propagator == nil {
		return ctx
	}
	return w.Propagator.Extract(ctx, bus.HeaderCarrier{Headers: &e.from.Headers})
}

// giveUp puts events that can't be delivered to the dead letters.
func (w *worker) giveUp(ctx context.Context, events []Event, why error) error {
	w.metrics.expired.Add(ctx, int64(len(events)), w.by)
	for _, e := range events {
		if err := w.letters.Add(ctx, e.from, why); err != nil {
			return err
		}
	}
	return w.told(ctx, heldOf(events)...)
}

// heldOf are the alerts of events that were withheld.
func heldOf(events []Event) (all []*heldAlert) {
	for _, e := range events {
		if e.held != nil {
			all = append(all, e.held)
		}
	}
	return all
}
