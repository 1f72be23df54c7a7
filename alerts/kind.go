package alerts

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// kind is a kind of rule: what has to be seen for an alert to begin and to end.
// What follows from that (the alert, its id, the cooldown) is the same for all.
type kind interface {
	// begin makes the memory for one camera. before is that of the rule that had
	// the same name, nil where there was none: what fits is taken over.
	// j judges the camera's labels; what it wants may change between two clips.
	begin(before memory, j *judge) memory
	// remembers is what of a camera's past the next decision can depend on.
	remembers() reach
}

// reach is how far into the past of a camera a rule looks: so many of its clips, the
// newest included, after as much time with clips.
type reach struct {
	clips int
	span  time.Duration
}

// memory is what a rule remembers of one camera.
type memory interface {
	// see takes the camera's next clip. One that does not count can keep an alert
	// open, but raises none.
	see(rec *topics.Recognition, counts bool) decision
	// pass takes the camera's next clip instead, while no alert is open, if none of its
	// labels reaches what raises one. Where that is not enough to know what follows
	// from it, pass does nothing and returns false.
	pass(rec *topics.Recognition) bool
	// interrupt is called before the first clip of each stream epoch. open: the
	// rule's alert is open.
	interrupt(open bool)
	// forget drops everything, after an alert.
	forget()
	// complete is whether clips before the first that it has seen would change
	// nothing about its decisions from now on.
	complete(open bool) bool
}

// decision is a rule's result for a camera after a clip.
type decision struct {
	best  *topics.LabelScore // that matches, valid as long as the clip; nil where none does
	onset *seen              // the first clip that counts, if an alert may begin; else nil
	over  bool               // nothing keeps an alert open any longer
	// reason for people of what is raised or cleared; empty: label and value say it.
	reason string
}

// label is the best that matches; empty where none does.
func (d *decision) label() topics.LabelScore {
	if d.best == nil {
		return topics.LabelScore{}
	}
	return *d.best
}

// seen is what a memory keeps of a clip.
type seen struct {
	clip             string
	start            time.Time
	raises, sustains bool
}

// nOfM is the kind of rule that wants N of the last M clips.
type nOfM struct{ Rule }

func (k nOfM) remembers() reach { return reach{clips: k.Clips.M} }

func (k nOfM) begin(before memory, j *judge) memory {
	old, _ := before.(*window)
	return newWindow(k.Rule, j, old)
}

// newWindow makes an empty window, or one with the clips of the rule's window before
// it was edited.
func newWindow(r Rule, j *judge, old *window) *window {
	w := &window{rule: r, judge: j}
	if old != nil {
		old.fill()
		w.clips, w.whole = old.clips, old.whole
	}
	return w
}

// window are the last M clips at most, oldest first.
type window struct {
	rule  Rule
	judge *judge
	clips []seen
	// passed are how many clips followed these of which nothing is kept: M at most.
	passed int
	room   []seen // that clips lie in
	whole  bool   // it has seen the first clip of the stream epoch
}

func (w *window) forget() { w.clips, w.passed = nil, 0 }

// interrupt empties the window unless an alert is open: that may span two epochs.
func (w *window) interrupt(open bool) {
	if w.whole = false; !open {
		w.forget()
	}
}

func (w *window) complete(open bool) bool {
	return len(w.clips)+w.passed >= w.rule.Clips.M || w.whole && !open
}

func (w *window) pass(rec *topics.Recognition) bool {
	w.whole = w.whole || rec.Sequence == 0
	w.passed = min(w.passed+1, w.rule.Clips.M)
	return true
}

// fill adds the clips that passed.
func (w *window) fill() {
	for ; w.passed > 0; w.passed-- {
		w.add(seen{})
	}
}

func (w *window) see(rec *topics.Recognition, counts bool) decision {
	w.whole = w.whole || rec.Sequence == 0
	w.fill()
	best, raises, sustains := w.judge.best(rec)
	w.add(seen{clip: rec.ClipID, start: rec.Start, raises: raises && counts, sustains: sustains})
	// After a restart clips may be missing: the window fills before an alert ends.
	full := len(w.clips) == w.rule.Clips.M
	return decision{
		best: best, onset: w.onset(),
		over: full && !w.sustained(),
	}
}

// add adds a clip, and drops what is more than M. The last M lie in memory of a few
// times as many, so that they are seldom moved.
func (w *window) add(s seen) {
	if len(w.clips) >= w.rule.Clips.M {
		w.clips = w.clips[len(w.clips)-w.rule.Clips.M+1:]
	}
	if len(w.clips) == cap(w.clips) {
		if w.room == nil {
			w.room = make([]seen, 4*w.rule.Clips.M)
		}
		w.clips = w.room[:copy(w.room, w.clips)]
	}
	w.clips = append(w.clips, s)
}

// onset is the first of at least N clips that reach the raise value, nil where there
// are fewer. The newest clip must be one of them: an alert is about now.
func (w *window) onset() *seen {
	if !w.clips[len(w.clips)-1].raises {
		return nil
	}
	n, first := 0, -1
	for i := range w.clips {
		if !w.clips[i].raises {
			continue
		}
		if n++; first < 0 {
			first = i
		}
	}
	if n < w.rule.Clips.N {
		return nil
	}
	c := w.clips[first]
	return &c
}

// sustained is whether any of the clips keeps an alert open.
func (w *window) sustained() bool {
	for i := range w.clips {
		if w.clips[i].sustains {
			return true
		}
	}
	return false
}
