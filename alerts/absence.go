package alerts

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// absence is the kind of rule that wants something to be seen again and again, in N of
// M clips. Its alert begins with the clip that makes the time without it long enough,
// and ends when it is seen. Only time with clips counts: each clip adds the time since
// the one before it, without that of clips that were lost; the first of a stream epoch
// adds none. Outside the rule's hours nothing is counted, and the count starts again
// afterwards.
type absence struct{ Rule }

// forgetAbsence is how long a camera may send no clip before the time without the
// label is counted from the start.
const forgetAbsence = 24 * time.Hour

func (k absence) remembers() reach { return reach{clips: k.Clips.M, span: k.Absent.For} }

func (k absence) begin(before memory, j *judge) memory {
	m := &unseen{limit: k.Absent.For, unlisted: topics.LabelScore{Label: k.Absent.Actions[0]}}
	if len(k.Zone) > 0 {
		m.unlisted.Zone = &topics.ZoneRef{Name: k.Zone[0]}
	}
	old, _ := before.(*unseen)
	if old == nil {
		old = &unseen{}
	}
	m.window, m.length, m.counted, m.last = newWindow(k.Rule, j, old.window), old.length, old.counted, old.last
	return m
}

// unseen is the memory of an absence.
type unseen struct {
	limit    time.Duration
	unlisted topics.LabelScore // one of the labels, for clips that list none of them
	window   *window
	length   time.Duration // counted without the labels, at most the limit
	counted  bool          // from 0 at a clip before which no clip matters
	last     clipTimes     // of the clip before; zero: none, or of another stream epoch
	end      time.Time     // of the clip before, whatever its epoch
}

type clipTimes struct {
	start    time.Time
	sequence uint64
}

func (m *unseen) forget() { m.restart() }

// restart counts from 0.
func (m *unseen) restart() {
	m.length = 0
	m.counted = m.counted || m.window.complete(false)
}

// interrupt empties the window although an alert may be open: a worker that starts
// later can't know whether one was.
func (m *unseen) interrupt(bool) {
	m.last = clipTimes{}
	m.window.interrupt(false)
}

func (m *unseen) complete(bool) bool {
	return m.window.complete(false) && (m.counted || m.length >= m.limit)
}

// pass passes nothing: time without the label is what counts.
func (m *unseen) pass(*topics.Recognition) bool { return false }

func (m *unseen) see(rec *topics.Recognition, counts bool) decision {
	if !m.end.IsZero() && rec.Start.Sub(m.end) > forgetAbsence {
		m.restart()
	}
	shown := m.window.see(rec, true)                        // it is seen, whatever the hour
	if !m.last.start.IsZero() && m.window.complete(false) { // it would have been noticed
		m.length = min(m.length+strideBetween(m.last.start, m.last.sequence, rec.Start, rec.Sequence), m.limit)
	}
	m.last, m.end = clipTimes{rec.Start, rec.Sequence}, rec.End
	d := decision{best: shown.best, over: shown.onset != nil}
	if d.best == nil {
		d.best = &m.unlisted
	}
	switch {
	case d.over:
		d.reason = "it was seen"
		m.restart()
	case !counts:
		m.restart()
	case m.length >= m.limit:
		d.onset = &seen{clip: rec.ClipID, start: rec.Start}
		d.reason = fmt.Sprintf("not seen for %s", m.limit)
	}
	return d
}

// state says for how long it has not been seen.
func (m *unseen) state() string {
	return fmt.Sprintf("not seen for %s of %s", m.length.Round(time.Second), m.limit)
}
