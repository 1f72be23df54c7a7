package notify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// withheld are the alerts of a partition of which silences have kept something from the
// receiver: it is delivered if the alert is still open when it is silenced no more. They are
// on a table too (withheldtable.go), so that restarts change nothing. Time is that of the
// records: what a record says counts before what is due at its time.
type withheld struct {
	byAlert map[string]*heldAlert
	// soonest is when the next of them may be due; never: none is known to be.
	soonest  time.Time
	seen     time.Time // everything up to this time has been read
	loosened int       // of the silences, when the ends were worked out
	over     []*heldAlert
}

// heldAlert is an alert of which something is withheld.
type heldAlert struct {
	topics.WithheldAlert
	until   time.Time // when it is silenced no more
	pending int       // its events that are to be delivered now
	due     bool      // nothing of it is withheld any more
}

// maxWithheld bounds the alerts that are remembered. Of more, and where what is withheld
// can't be read, clears are delivered and nothing else later.
const maxWithheld = 10_000

func newWithheld() *withheld {
	return &withheld{byAlert: map[string]*heldAlert{}, soonest: never}
}

// about is what silences go by.
func (h *heldAlert) about() topics.Alert {
	return topics.Alert{Rule: h.Rule, Camera: h.Camera, Tags: h.Tags}
}

// silenced is whether a record is not to be delivered, at least for now. A clear goes the
// way of its raise.
func (w *worker) silenced(ctx context.Context, a topics.Alert, m bus.Message) (bool, error) {
	w.later.seen = m.Time
	w.workOutEnds()
	if err := w.releaseSeen(ctx); err != nil {
		return false, err
	}
	covered := w.silences.cover(a, m.Time)
	h := w.later.byAlert[a.ID]
	if h != nil && !covered && !h.due && !h.Over() { // it was open when the silence ended
		if err := w.release(ctx, h); err != nil {
			return false, err
		}
	}
	if h != nil && h.has(a.State, m.Offset) { // read again after a restart
		return a.State != topics.AlertCleared || h.unheardOf(), nil
	}
	if a.State == topics.AlertCleared {
		return w.clearsQuietly(ctx, h, m)
	}
	if !covered {
		return false, nil
	}
	if h == nil || h.due || h.Over() {
		if h == nil && len(w.later.byAlert) >= maxWithheld {
			return true, nil
		}
		h = &heldAlert{WithheldAlert: topics.WithheldAlert{
			Receiver: GroupOf(w.Stage.Group, w.Name), Alert: a.ID, Key: a.Key(), Rule: a.Rule, Camera: a.Camera, Tags: a.Tags, At: m.Time, Offsets: map[topics.AlertState]int64{},
		}}
		w.later.byAlert[a.ID] = h
	}
	h.Offsets[a.State] = m.Offset
	h.until = w.silences.end(a, m.Time)
	w.later.soonest = earlier(w.later.soonest, h.until)
	return true, w.write(ctx, h)
}

// has is whether a record of the alert is known already.
func (h *heldAlert) has(state topics.AlertState, offset int64) bool {
	known, some := h.Offsets[state]
	return some && known == offset
}

// unheardOf is whether the receiver has not got what raised the alert.
func (h *heldAlert) unheardOf() bool {
	_, raise := h.Offsets[topics.AlertRaised]
	return raise && !h.Delivered
}

// clearsQuietly is whether nobody is to learn of a clear, because nobody knows of the
// alert. What is withheld of it is not delivered any more.
func (w *worker) clearsQuietly(ctx context.Context, h *heldAlert, m bus.Message) (bool, error) {
	if h == nil || h.due {
		return false, nil
	}
	h.Offsets[topics.AlertCleared] = m.Offset
	w.later.over = append(w.later.over, h)
	return h.unheardOf(), w.write(ctx, h)
}

// releaseDue delivers what is withheld of alerts that are silenced no more.
func (w *worker) releaseDue(ctx context.Context) error {
	w.workOutEnds()
	if w.later.soonest.After(w.later.seen) {
		if upToDate, err := w.catchUp(ctx); err != nil || !upToDate {
			return err
		}
	}
	return w.releaseSeen(ctx)
}

// releaseSeen delivers what was due up to the time of the last record, as far as the pace
// allows.
func (w *worker) releaseSeen(ctx context.Context) error {
	l := w.later
	if l.soonest.After(l.seen) {
		return nil
	}
	due := []*heldAlert{}
	for _, h := range l.byAlert {
		if !h.due && !h.Over() && !h.until.After(l.seen) {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b *heldAlert) int { return int(a.first() - b.first()) })
	for _, h := range due {
		if w.pace.full() {
			return nil
		}
		if now := w.Bus.Now(); w.silences.cover(h.about(), now) { // by another silence
			h.until = w.silences.end(h.about(), now)
			continue
		}
		if err := w.release(ctx, h); err != nil {
			return err
		}
	}
	l.findSoonest()
	return nil
}

// workOutEnds works out when alerts are silenced no more, if that may be earlier than it
// was.
func (w *worker) workOutEnds() {
	loosened, _ := w.silences.state()
	if loosened == w.later.loosened {
		return
	}
	w.later.loosened = loosened
	for _, h := range w.later.byAlert {
		h.until = w.silences.end(h.about(), h.At)
	}
	w.later.findSoonest()
}

func (l *withheld) findSoonest() {
	l.soonest = never
	for _, h := range l.byAlert {
		if !h.due && !h.Over() {
			l.soonest = earlier(l.soonest, h.until)
		}
	}
}

// catchUp is whether something may be due and all records of before have been read: any
// of those may be the clear of an alert that is withheld.
func (w *worker) catchUp(ctx context.Context) (bool, error) {
	now := w.Bus.Now()
	if w.later.soonest.After(now) {
		return false, nil
	}
	_, end, err := w.Bounds(ctx)
	if err != nil || w.next < end {
		return false, err
	}
	w.later.seen = now
	return true, nil
}

// waitForDue is how long it takes until something that is withheld may be due. false: that
// can't be said.
func (w *worker) waitForDue() (time.Duration, bool) {
	if w.later.soonest.Equal(never) {
		return 0, false
	}
	wait := w.later.soonest.Sub(w.Bus.Now())
	if wait < 0 { // records are to be read first, or the pace is full
		wait = time.Second
	}
	return min(wait, longLook), true
}

// release delivers what is withheld of an alert, or hands it to the pace.
func (w *worker) release(ctx context.Context, h *heldAlert) error {
	h.due = true
	var events []Event
	for _, state := range []topics.AlertState{topics.AlertRaised, topics.AlertEscalated} {
		offset, some := h.Offsets[state]
		if !some || !w.wants(state) {
			continue
		}
		e, err := w.eventAt(ctx, h, state, offset)
		if err != nil {
			return err
		}
		if e.Key != "" {
			events = append(events, e)
		}
	}
	h.pending = len(events)
	for _, e := range events {
		if !w.pace.offer(e, w.receiver.Group.of(e.Alert), noOffset, time.Now()) {
			w.metrics.held.Add(ctx, 1, w.by)
			continue
		}
		if err := w.deliver(ctx, e); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return w.told(ctx, h)
	}
	return nil
}

// eventAt reads a record that was withheld. An event without a key is of one that a second
// opinion keeps from the receiver, that is not there any more, that the receiver does not
// get, or that is not what it was said to be: anybody may write to the table.
func (w *worker) eventAt(ctx context.Context, h *heldAlert, state topics.AlertState, offset int64) (e Event, err error) {
	there := false
	err = w.Bus.Replay(ctx, w.Names.Of(topics.Alerts), w.ID(), offset, offset+1, func(m bus.Message) error {
		a, err := topics.DecodeAlert(m.Value)
		if err != nil || a.ID != h.Alert || a.State != state || !w.chooses(a) {
			return nil
		}
		there = true
		said, held, err := w.judged(ctx, a, m)
		if err == nil && !held {
			e = w.event(a).judged(said)
			e.from, e.evidence, e.held = m, w.evidenceOf(a), h
		}
		return err
	})
	if err == nil && !there {
		w.Logger.WarnContext(ctx, "what was withheld of an alert is not there any more", "receiver", w.Name, "alert", topics.Clean(h.Alert), "partition", w.ID(), "offset", offset)
	}
	return e, err
}

// noOffset is of events that wait for nothing to be committed: the table has them.
const noOffset = math.MaxInt64

// told notes that events which were withheld have been dealt with: accepted, or given up.
func (w *worker) told(ctx context.Context, of ...*heldAlert) error {
	for _, h := range of {
		if h.pending--; h.pending > 0 {
			continue
		}
		if w.later.byAlert[h.Alert] != h { // it was silenced anew meanwhile
			continue
		}
		h.Delivered = true
		w.later.over = append(w.later.over, h)
		if err := w.write(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// settle forgets alerts that are over, once their records will not be read again.
func (w *worker) settle(ctx context.Context, committed int64) error {
	var still []*heldAlert
	for _, h := range w.later.over {
		if h.Last() >= committed {
			still = append(still, h)
			continue
		}
		if w.later.byAlert[h.Alert] == h {
			delete(w.later.byAlert, h.Alert)
			if err := w.erase(ctx, h.WithheldAlert); err != nil {
				return err
			}
		}
	}
	w.later.over = still
	return nil
}

// first is the lowest of its offsets.
func (h *heldAlert) first() int64 {
	first := h.Last()
	for _, offset := range h.Offsets {
		first = min(first, offset)
	}
	return first
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// age is for how long an event could have been delivered.
func (w *worker) age(e Event) time.Duration {
	if e.held == nil {
		return w.Bus.Age(e.from)
	}
	return w.Bus.Age(bus.Message{Time: e.held.until})
}

// part of what is reported.
func (w *worker) withheldPart() string { return fmt.Sprintf("%s, what is withheld", w.part()) }
