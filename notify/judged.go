package notify

import (
	"context"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// judged is what a second opinion says of an alert, for which that of a raise is waited,
// and whether the alert is kept from the receiver for that: its escalation and its clear
// then are, too.
func (w *worker) judged(ctx context.Context, a topics.Alert, m bus.Message) (said topics.Verdict, held bool, err error) {
	verifier, _ := w.opinions.current()
	if !w.verified() || verifier == nil {
		return said, false, nil
	}
	said, known := w.opinions.of(a.ID)
	if !known && verifier.asks(a) {
		said, known, err = w.opinions.await(ctx, a.ID, verifier.deadline()-max(w.Bus.Age(m), 0))
		if err != nil {
			return said, false, err
		}
		if !known {
			said = verifier.verdict(a, "no answer in time")
			w.open.wake() // it is shown as open from now on
		}
	}
	if held = verifier.holds(said); held {
		w.metrics.withheld.Add(ctx, 1, w.by)
	}
	return said, held, nil
}

// verified is whether the receiver waits for second opinions.
func (r *receiver) verified() bool { return r.Verify == nil || *r.Verify }

// judgedOpen is judged of an alert that is open, without waiting: shown is whether the
// receiver is to show it (already).
func (d *delivery) judgedOpen(l listed) (said topics.Verdict, shown bool) {
	verifier, _ := d.opinions.current()
	if !d.verified() || verifier == nil {
		return said, true
	}
	said, known := d.opinions.of(l.alert.ID)
	if !known && verifier.asks(l.alert) && d.Bus.Age(bus.Message{Time: l.at}) < verifier.deadline() {
		return said, false // until the verdict is there, or the alert's delivery has waited for it
	}
	return said, !verifier.holds(said)
}

// judged is an event with what a second opinion said of its alert.
func (e Event) judged(said topics.Verdict) Event {
	e.Verdict = said
	if said.Says != "" && e.Alert.State != topics.AlertCleared {
		e.Text = topics.Clean(e.Text + "; second opinion: " + said.String())
	}
	return e
}
