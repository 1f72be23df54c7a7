package alerts

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// sequence is the kind of rule that wants one thing to be seen after another, each in
// N of M clips, and no later than a given time. The time runs from the end of the clip
// with which the first was there to the end of that with which the second is. One
// clip can't show both: windows say nothing of the order within them. A new stream
// epoch empties the windows, but what was seen before it still counts as the first: a
// camera that connects anew has not undone it.
type sequence struct{ Rule }

func (k sequence) remembers() reach { return reach{clips: k.Clips.M, span: k.Then.Within} }

func (k sequence) begin(before memory, j *judge) memory {
	old, _ := before.(*pair)
	if old == nil {
		old = &pair{}
	}
	m := &pair{within: k.Then.Within, first: newWindow(k.Rule, j, old.first), onset: old.onset, at: old.at, label: old.label, since: old.since, newest: old.newest}
	m.then = newWindow(k.subject(), &judge{rule: k.subject(), names: j.names}, old.then)
	return m
}

// pair is the memory of a sequence.
type pair struct {
	within      time.Duration
	first, then *window
	onset       *seen     // of what came first, as it was seen last; nil: it was not
	at          time.Time // end of the clip with which it was there
	label       string    // that it had then
	since       time.Time // from then on the first would have been noticed; zero: not yet
	newest      time.Time // end of the newest clip
}

func (m *pair) forget() {
	m.first.forget()
	m.then.forget()
	m.onset = nil
}

func (m *pair) interrupt(open bool) {
	m.first.interrupt(open)
	m.then.interrupt(open)
}

func (m *pair) complete(open bool) bool {
	if !m.then.complete(open) {
		return false
	}
	if open {
		return true
	}
	known := m.onset != nil && !m.at.Before(m.since) || m.newest.Sub(m.since) > m.within
	return m.first.complete(false) && !m.since.IsZero() && known
}

func (m *pair) see(rec *topics.Recognition, counts bool) decision {
	m.expire(rec)
	m.then.judge.own = m.first.judge.own
	second := m.then.see(rec, counts)
	d := decision{best: second.best, over: second.over}
	if second.onset != nil {
		if d.onset = m.onset; d.onset != nil {
			d.reason = topics.Clean(fmt.Sprintf("%s came first, %s before", m.label, rec.End.Sub(m.at).Round(time.Second)))
		}
	}
	if first := m.first.see(rec, counts); first.onset != nil {
		m.onset, m.at, m.label = first.onset, rec.End, first.label().Label
	}
	m.noticed(rec)
	return d
}

func (m *pair) pass(rec *topics.Recognition) bool {
	m.expire(rec)
	m.then.pass(rec)
	m.first.pass(rec)
	m.noticed(rec)
	return true
}

// expire forgets what came first, if it is too long ago.
func (m *pair) expire(rec *topics.Recognition) {
	// A clock that was set back says nothing of how long ago it was.
	if after := rec.End.Sub(m.at); m.onset != nil && (after <= 0 || after > m.within) {
		m.onset = nil
	}
}

// noticed notes that the clip was seen.
func (m *pair) noticed(rec *topics.Recognition) {
	if m.newest = rec.End; m.since.IsZero() && m.first.complete(false) {
		m.since = rec.End
	}
}

// state says whether what comes first was seen, and what is missing.
func (m *pair) state() string {
	if m.onset == nil {
		return "what comes first has not been seen; " + m.first.state()
	}
	return fmt.Sprintf("what comes first was seen at %s; for what follows within %s: %s", m.at.UTC().Format(time.RFC3339), m.within, m.then.state())
}
