package alerts

import (
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Trace is what a rule made of one clip of a camera, and why.
type Trace struct {
	Rule   string    `json:"rule"`
	Camera string    `json:"camera"`
	Clip   string    `json:"clip_id"`
	Start  time.Time `json:"start"` // of the clip's window
	End    time.Time `json:"end"`
	// Fresh: the clip is the first of a stream epoch, which empties the rule's memory
	// unless an alert is open.
	Fresh  bool          `json:"fresh,omitempty"`
	Labels []TracedLabel `json:"labels"` // that the rule selects, the best first; empty: the clip has none
	// Inactive: the clip is outside the rule's schedule or in its quiet hours, and does
	// not count for an alert to begin.
	Inactive bool `json:"inactive,omitempty"`
	// Enough: what the rule wants for an alert has been seen, over: nothing keeps an
	// open one from being cleared.
	Enough bool `json:"enough"`
	Over   bool `json:"over"`
	// Remembers is how many clips the decision rests on at most, and State what the
	// rule's kind says of them; empty: nothing.
	Remembers int    `json:"remembers"`
	State     string `json:"state,omitempty"`
	// Cleared is when the last alert was cleared: clips up to then count for no
	// other. Resting is the end of the cooldown after it.
	Cleared time.Time `json:"cleared,omitzero"`
	Resting time.Time `json:"resting,omitzero"`
	// Inhibited is the rule whose open alert keeps this one from raising.
	Inhibited string `json:"inhibited,omitempty"`
	// Open is the alert that was open before the clip, Alert what the clip raised or
	// cleared.
	Open  *topics.Alert `json:"open,omitempty"`
	Alert *topics.Alert `json:"alert,omitempty"`
	Why   string        `json:"why"` // all of this in one sentence
}

// TracedLabel is a label of a clip that a rule selects.
type TracedLabel struct {
	Label string  `json:"label"`
	Zone  string  `json:"zone,omitempty"` // in which it was seen; empty: in the whole picture
	Value float64 `json:"value"`
	Raise float64 `json:"raise"` // values that count for raising are at least this
	Clear float64 `json:"clear"` // values that keep an alert open are at least this
}

// stater is a memory that can say in a few words what it holds of the last clips.
type stater interface{ state() string }

// SetTrace makes the engine call fn for each rule and each clip that it evaluates;
// nil ends that. It costs time, and changes no alert.
func (e *Engine) SetTrace(fn func(Trace)) { e.trace = fn }

// step lets a watch take the camera's next clip.
func (e *Engine) step(w *watch, rec *topics.Recognition, fresh bool) *topics.Alert {
	if e.trace == nil {
		alert, _ := e.decide(w, rec)
		return alert
	}
	t := w.before(rec)
	t.Fresh = fresh
	alert, d := e.decide(w, rec)
	t.Enough, t.Over, t.Alert = d.onset != nil, d.over, alert
	t.Inhibited = w.inhibitor()
	if s, ok := w.memory.(stater); ok && alert == nil {
		t.State = s.state()
	}
	t.Why = t.why(w.rule)
	e.trace(t)
	return alert
}

// decide lets a watch take the clip, and reports that the camera counts for a rule that
// counts cameras.
func (e *Engine) decide(w *watch, rec *topics.Recognition) (*topics.Alert, decision) {
	alert, d := w.step(rec, e.words)
	if w.rule.Count != nil && d.onset != nil && e.sighted != nil {
		e.sighted(w.sighting(rec, d.label()))
	}
	return alert, d
}

// before is the trace of a clip that is about to be evaluated.
func (w *watch) before(rec *topics.Recognition) Trace {
	t := Trace{
		Rule: w.rule.Name, Camera: rec.Camera, Clip: rec.ClipID, Start: rec.Start, End: rec.End,
		Labels: w.judge.traced(rec), Inactive: !w.rule.active.on(rec.End), Remembers: w.rule.kind.remembers().clips,
		Cleared: w.cleared, Resting: w.resting,
	}
	if w.open != nil {
		open := *w.open
		t.Open = &open
	}
	return t
}

// traced are the labels of a clip that the rule selects: those that come closest to
// their raise value first.
func (j *judge) traced(rec *topics.Recognition) []TracedLabel {
	out := []TracedLabel{}
	for _, i := range j.selected(rec.Labels) {
		l := &rec.Labels[i]
		raise, low := j.levels(l)
		out = append(out, TracedLabel{Label: l.Label, Zone: zoneName(l), Value: j.value(l), Raise: raise, Clear: low})
	}
	slices.SortStableFunc(out, func(a, b TracedLabel) int {
		switch x, y := a.Value-a.Raise, b.Value-b.Raise; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

// why says in a sentence what was decided, and the first of the reasons against an
// alert.
func (t Trace) why(r *rule) string {
	because := ""
	if t.State != "" {
		because = ": " + t.State
	}
	switch {
	case t.Alert != nil && t.Alert.State == topics.AlertRaised && t.Alert.Reason != "":
		return fmt.Sprintf("raised alert %s: %s", t.Alert.ID, t.Alert.Reason)
	case t.Alert != nil && t.Alert.State == topics.AlertRaised:
		return fmt.Sprintf("raised alert %s, by %s", t.Alert.ID, t.best())
	case t.Alert != nil && t.Alert.State == topics.AlertEscalated:
		return fmt.Sprintf("escalated alert %s to %s: %s", t.Alert.ID, t.Alert.Severity, t.Alert.Reason)
	case t.Alert != nil:
		return fmt.Sprintf("cleared alert %s: %s", t.Alert.ID, t.Alert.Reason)
	case t.Open != nil:
		return fmt.Sprintf("alert %s is open since %s and is kept open%s", t.Open.ID, t.Open.Onset.UTC().Format(time.RFC3339), because)
	case r.Count != nil && t.Enough:
		return fmt.Sprintf("this camera counts: %s; an alert takes %s", t.best(), r.Count)
	case t.Enough && t.End.Before(t.Resting):
		return fmt.Sprintf("it would raise, but rests until %s, which is %s after the last alert was cleared", t.Resting.UTC().Format(time.RFC3339), r.Cooldown)
	case t.Enough && t.Inhibited != "":
		return fmt.Sprintf("it would raise, but is inhibited by rule %s, which has an alert open", t.Inhibited)
	case t.Enough:
		return "it would raise, but what follows from this clip was published before"
	case r.Then != nil || r.Absent != nil:
		if t.Inactive {
			return "outside the rule's hours"
		}
		return "not yet" + because
	case len(t.Labels) == 0 && len(r.Zone) > 0:
		return "nothing moved in its zone, and no view lies in it; or the camera has no such zone, or the vocabulary none of its labels"
	case len(t.Labels) == 0:
		return "the clip has none of the rule's labels: they are not in the vocabulary that it was compared with, or not among its best"
	case t.Labels[0].Value < t.Labels[0].Raise:
		return "not high enough: " + t.best()
	case t.Inactive:
		return fmt.Sprintf("outside the rule's hours, although %s", t.best())
	case !t.End.After(t.Cleared):
		return fmt.Sprintf("clips up to %s count for no other alert, since one was cleared then", t.Cleared.UTC().Format(time.RFC3339))
	}
	return t.best() + ", which is not enough yet" + because
}

// best describes the label that comes closest to being raised.
func (t Trace) best() string {
	if len(t.Labels) == 0 {
		return "no label"
	}
	l := t.Labels[0]
	compared := "is below"
	if l.Value >= l.Raise {
		compared = "reaches"
	}
	in := ""
	if l.Zone != "" {
		in = " in zone " + l.Zone
	}
	return topics.Clean(fmt.Sprintf("%.80q has %.3f%s, which %s %.3f", l.Label, l.Value, in, compared, l.Raise))
}

// state says how many of the last clips count.
func (w *window) state() string {
	w.fill()
	n, sustain := 0, 0
	for _, c := range w.clips {
		if c.raises {
			n++
		}
		if c.sustains {
			sustain++
		}
	}
	switch {
	case w.rule.Clips.M > 1:
	case n > 0:
		return "this clip counts"
	case sustain > 0:
		return "this clip does not count, and is high enough to keep an alert open"
	default:
		return "this clip does not count"
	}
	return fmt.Sprintf("of the last %d clips %d count, %d of %d are wanted; %d are high enough to keep an alert open",
		len(w.clips), n, w.rule.Clips.N, w.rule.Clips.M, sustain)
}
