package alerts

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// watch is one rule on one camera: its memory and the state of its alert.
type watch struct {
	rule    *rule         // nil: it was removed
	judge   *judge        // nil where rule is
	memory  memory        // nil where rule is
	open    *topics.Alert // raised and not yet cleared
	closed  string        // id of the last alert that was cleared
	cleared time.Time     // clips that end by then count for no other alert
	resting time.Time     // end of the cooldown
	known   time.Time     // what follows from clips that end by then was restored
	// inhibitors are the watches of the rules that inhibit this one on its camera.
	inhibitors []*watch
}

// follow hands the watch to a rule, nil for none. n are the engine's.
func (w *watch) follow(r *rule, n *labelNames) {
	w.rule = r
	if r == nil {
		w.judge, w.memory = nil, nil
		return
	}
	w.judge = &judge{rule: r.Rule, names: n}
	w.memory = r.kind.begin(w.memory, w.judge)
}

// remember adds a clip to the memory.
func (w *watch) remember(rec *topics.Recognition) decision {
	return w.memory.see(rec, w.rule.active.on(rec.End) && rec.End.After(w.cleared))
}

// step takes the next clip and returns the alert that it raises or clears, and what
// the rule made of the clip. words are the vocabularies in force, nil where they are not known.
func (w *watch) step(rec *topics.Recognition, words Words) (*topics.Alert, decision) {
	d := w.remember(rec)
	switch {
	case w.rule.Count != nil: // its alerts are the Counter's
	case !rec.End.After(w.known): // what follows from it is published
	case w.open != nil && d.over:
		label, reason := d.label(), d.reason
		if reason == "" {
			label, reason = w.ending(rec, label, words)
		}
		return w.clear(aboutClip(rec), label, reason, w.rule.Cooldown), d
	case w.open != nil:
		return w.escalate(rec, d.best), d
	case d.onset != nil && !rec.End.Before(w.resting) && !w.decided(rec) && w.inhibitor() == "":
		return w.raise(rec, d), d
	}
	return nil, d
}

func (w *watch) raise(rec *topics.Recognition, d decision) *topics.Alert {
	label := d.label()
	a := aboutClip(rec).alert(label)
	a.ID, a.State, a.Rule, a.Severity = topics.AlertID(w.rule.Name, d.onset.clip), topics.AlertRaised, w.rule.Name, w.rule.severity(w.judge.value(&label))
	a.Onset, a.OnsetClip, a.Reason, a.Absent = d.onset.start, d.onset.clip, d.reason, w.rule.Absent != nil
	a.Notify, a.Verify = w.rule.Notify, w.rule.Verify
	w.measured(&a, label)
	w.open = &a
	raised := a
	return &raised
}

// measured adds what the rule compares to an alert.
func (w *watch) measured(a *topics.Alert, l topics.LabelScore) {
	a.Measure = string(w.rule.Measure())
	a.Threshold, _ = w.judge.levels(&l)
}

// clear ends the open alert, if there is one. last is the camera's newest clip,
// without an id where none was seen since a restart. An empty label is that of
// the alert, without a score.
func (w *watch) clear(last about, label topics.LabelScore, reason string, cooldown time.Duration) *topics.Alert {
	if w.open == nil {
		return nil
	}
	was := *w.open
	if label.Label == "" {
		label = unscored(was)
	}
	a := last.alert(label)
	if last.clip == "" {
		a.Camera, a.Tags, a.At, a.Clip, a.Model, a.Vocab = was.Camera, was.Tags, was.At, was.Clip, was.Model, was.Vocab
	}
	a.ID, a.State, a.Rule, a.Severity = was.ID, topics.AlertCleared, was.Rule, was.Severity
	a.Onset, a.OnsetClip, a.Reason = was.Onset, was.OnsetClip, reason
	a.Measure, a.Threshold, a.Absent, a.Notify = was.Measure, was.Threshold, was.Absent, was.Notify
	if w.rule != nil {
		w.measured(&a, label)
	}
	w.end(a.ID, a.At, cooldown)
	return &a
}

// end is what follows from a clear, a restored one too.
func (w *watch) end(id string, at time.Time, cooldown time.Duration) {
	w.open, w.closed, w.cleared, w.resting = nil, id, at, at.Add(cooldown)
	if w.memory != nil {
		w.memory.forget()
	}
}

// restore takes over an alert from the log. It returns the alert that was open until
// then, where another one was raised without a clear between. cooldown is that of the
// alert's rule.
func (w *watch) restore(a topics.Alert, cooldown time.Duration) (left *topics.Alert) {
	switch {
	case a.ID == w.closed: // sent again
		return nil
	case a.State == topics.AlertRaised:
		switch {
		case w.open != nil && w.open.ID != a.ID:
			left = w.open
		case w.open != nil && topics.SeverityRank(w.open.Severity) > topics.SeverityRank(a.Severity): // sent again, after it was escalated
			a.Severity = w.open.Severity
		}
		w.open = &a
	case a.State == topics.AlertEscalated:
		if w.open == nil || w.open.ID != a.ID {
			return nil
		}
		w.open.Severity = a.Severity
	case w.open != nil && w.open.ID != a.ID: // of an earlier alert, not the open one
		return nil
	default:
		w.end(a.ID, a.At, cooldown)
	}
	if a.At.After(w.known) {
		w.known = a.At
	}
	return left
}
