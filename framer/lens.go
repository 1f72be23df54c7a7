package framer

import (
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// lens notices that a camera's lens is covered, out of focus or turned away, by
// comparing each picture with what the camera usually shows. These three are told apart
// as in Saglam and Temizel, "Real-time adaptive camera tamper detection for video
// surveillance" (AVSS 2009), and by edges that disappear, as in Lee, Lee and Lim,
// "Unified camera tamper detection based on edge and object information" (Sensors 15,
// 2015). It is remembered over connections, but not when the worker ends.
type lens struct {
	accept time.Duration // after which a view that stays is a usual one
	usual  []*view       // the latest first; none before the first is learnt
	next   *view         // one that may become usual, nil: there is none
	begun  time.Time     // when next was first seen
	odd    int           // pictures in a row that don't show next, before the first view is learnt
	fault  lensFault
	since  time.Time // when the fault began
	after  bool      // another fault, which had lasted, came right before it
	newest time.Time // the latest picture
}

// lensFault is what is wrong with a lens.
type lensFault int

const (
	lensFine lensFault = iota
	lensCovered
	lensDefocused
	lensMoved
)

const (
	// learnPictures is how many pictures of one view in a row make it the usual one: a
	// minute at the default window.
	learnPictures = 100
	// someLearnt is how many pictures it takes until a mean says more than noise does.
	someLearnt = 10
	// rememberedViews is how many usual views there are at most, so that the view by
	// night, and one that was accepted, are known when they return. One takes 37 kB.
	rememberedViews = 3
)

// How unlike the usual view a picture must be. The figures are from real clips and from
// rendered ones, each as it is, blurred, covered, shifted, in other light and with noise
// (docs/rules.md, "Streams", has the results): no picture of an untouched lens comes
// near, and faults are far beyond. Between two values of a pair, a fault that has lasted
// stays, and none begins.
const (
	blankFault, blankFine = 0.6, 0.45
	edgesFault, edgesFine = 0.25, 0.35
	// With fewer edges than plainEdges the picture is no other view. It need not be a
	// cover either: by night, noise hides most of a view, but it is not gone altogether.
	plainEdges, edgesGone = 0.45, 0.12
	// A picture out of focus is like the usual one but for its details.
	roughDefocused, roughSlack = 0.5, 0.1
)

// is what a picture says is wrong, and whether it says so or that nothing is wrong. now
// is what was wrong in the one before it.
func (l likeness) is(now lensFault) (fault lensFault, sure bool) {
	rough := roughDefocused
	switch now {
	case lensCovered:
		rough += roughSlack
	case lensDefocused:
		rough -= roughSlack
	}
	plain := l.edged < plainEdges
	switch {
	case l.blank >= blankFault && l.rough >= rough:
		return lensDefocused, true
	case plain && (l.blank >= blankFault || l.edges < edgesGone):
		return lensCovered, true
	case !plain && l.edges < edgesFault:
		return lensMoved, true
	}
	return lensFine, l.blank < blankFine && l.edges >= edgesFine
}

// see takes the next picture.
func (l *lens) see(s media.Scene, at time.Time) {
	if len(s.Cells) == 0 {
		return
	}
	if len(l.usual) > 0 && l.usual[0].columns != s.Columns { // the picture was turned upright
		*l = lens{accept: l.accept}
	}
	l.newest = at
	if len(l.usual) == 0 {
		l.start(s)
		return
	}
	like := l.usual[0].compare(s)
	if like.plain { // what it has learnt since is noise
		l.usual = l.usual[1:]
	}
	if !like.judged {
		return
	}
	fault, sure := like.is(l.fault)
	if fault != lensFine && l.known(s) {
		fault, sure = lensFine, true
	}
	switch {
	case fault == lensFine && (sure || !l.lasts(at) || l.fault == lensFine):
		l.fault, l.after, l.next = lensFine, false, nil
		l.usual[0].learn(s)
	case fault != lensFine:
		l.wrong(fault, s, at)
	}
}

// start learns the first view. It begins anew where the camera shows another one for
// a while, but not where somebody walks through.
func (l *lens) start(s media.Scene) {
	if l.next == nil || l.odd >= someLearnt {
		l.next, l.odd = &view{}, 0
	}
	if l.next.seen >= someLearnt {
		if like := l.next.compare(s); !like.judged || like.edges < edgesFault {
			l.odd++
			return
		}
	}
	l.odd = 0
	l.next.learn(s)
	if l.next.seen >= learnPictures {
		l.adopt(s)
	}
}

// wrong takes a picture that shows a fault.
func (l *lens) wrong(fault lensFault, s media.Scene, at time.Time) {
	if fault != l.fault {
		l.after = l.fault != lensFine && (l.after || l.lasts(at))
		l.fault, l.since, l.next = fault, at, nil
	}
	if fault != lensMoved {
		return
	}
	if same := l.get(s, at); !same && !l.lasts(at) { // it still moves
		l.since = at
	}
	if at.Sub(l.begun) >= l.accept && l.next.seen >= learnPictures {
		l.adopt(s)
	}
}

// lasts is whether the fault has lasted long enough to be reported.
func (l *lens) lasts(at time.Time) bool { return at.Sub(l.since) >= lasting }

// get learns the picture as the next view, and begins anew where it shows another one.
func (l *lens) get(s media.Scene, at time.Time) (same bool) {
	if l.next != nil && l.next.columns == s.Columns {
		like := l.next.compare(s)
		same = like.judged && like.edges >= edgesFine
	}
	if !same {
		l.next, l.begun = &view{}, at
	}
	l.next.learn(s)
	return same
}

// adopt makes the next view the usual one, if there is enough to be seen in it.
func (l *lens) adopt(s media.Scene) {
	if !l.next.compare(s).plain {
		l.usual = append([]*view{l.next}, l.usual...)
		l.usual = l.usual[:min(len(l.usual), rememberedViews)]
		l.fault, l.after = lensFine, false
	}
	l.next = nil
}

// known is whether the picture shows another of the usual views, which is then the
// latest.
func (l *lens) known(s media.Scene) bool {
	for i, v := range l.usual[1:] {
		like := v.compare(s)
		if !like.judged {
			continue
		}
		if fault, sure := like.is(lensFine); fault == lensFine && sure {
			copy(l.usual[1:], l.usual[:i+1])
			l.usual[0] = v
			return true
		}
	}
	return false
}

// reset begins a new connection. A fault that has not lasted is forgotten: nobody knows
// what was to be seen meanwhile.
func (l *lens) reset() {
	if !l.lasts(l.newest) && !l.after {
		l.fault = lensFine
	}
}

// now is what is wrong. It is nil before the first view is learnt, and while one fault
// may be following another, so that neither seems to be over.
func (l *lens) now() *topics.LensFaults {
	recent := l.fault != lensFine && !l.lasts(l.newest)
	if len(l.usual) == 0 || recent && l.after {
		return nil
	}
	var out topics.LensFaults
	if recent {
		return &out
	}
	switch l.fault {
	case lensCovered:
		out.CoveredSince = l.since.UTC()
	case lensDefocused:
		out.DefocusedSince = l.since.UTC()
	case lensMoved:
		out.MovedSince = l.since.UTC()
	case lensFine:
	}
	return &out
}
