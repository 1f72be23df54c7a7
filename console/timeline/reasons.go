package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Condition is a time in which something was wrong with a camera's stream.
type Condition struct {
	Kind     string // "offline", "black", "frozen", "covered", "moved", "defocused"
	From, To time.Time
	Reason   string // more of it, for people; may be empty
}

// Reports are what was said of a camera's stream in the past, as far as it is known: Kafka
// deletes older statuses bit by bit. They are added in their order.
type Reports struct {
	open  map[string]*Condition
	done  []Condition
	times []report
}

type report struct {
	at     time.Time
	state  topics.StreamState
	reason string
}

// maxReports bounds what is kept.
const maxReports = 50_000

// Add takes over a status and when Kafka got it.
func (r *Reports) Add(at time.Time, s topics.StreamStatus) {
	if len(r.times) >= maxReports {
		return
	}
	r.times = append(r.times, report{at, s.State, s.Reason})
	var p topics.PictureFaults
	var lens topics.LensFaults
	if s.Picture != nil {
		p = *s.Picture
	}
	if p.Lens != nil {
		lens = *p.Lens
	}
	for _, c := range []Condition{
		{Kind: "offline", From: s.OfflineSince, Reason: s.Reason}, {Kind: "black", From: p.BlackSince}, {Kind: "frozen", From: p.FrozenSince},
		{Kind: "covered", From: lens.CoveredSince}, {Kind: "moved", From: lens.MovedSince}, {Kind: "defocused", From: lens.DefocusedSince},
	} {
		c.To = at
		r.note(c)
	}
}

// note takes over what is so at a time; a zero From: it is not, or no longer.
func (r *Reports) note(c Condition) {
	if r.open == nil {
		r.open = map[string]*Condition{}
	}
	was := r.open[c.Kind]
	if was != nil && !was.From.Equal(c.From) {
		if !c.From.IsZero() && c.From.Before(c.To) {
			was.To = later(was.To, c.From)
		} else {
			was.To = c.To
		}
		r.done = append(r.done, *was)
		delete(r.open, c.Kind)
		was = nil
	}
	switch {
	case c.From.IsZero() || c.From.After(c.To):
	case was != nil:
		was.To, was.Reason = c.To, cmp.Or(c.Reason, was.Reason)
	default:
		r.open[c.Kind] = &c
	}
}

// Conditions are those that there were; what is still so lasts until now.
func (r *Reports) Conditions(now time.Time) []Condition {
	out := slices.Clone(r.done)
	for _, c := range r.open {
		last := *c
		if now.Sub(last.To) < quietFor {
			last.To = now
		}
		out = append(out, last)
	}
	slices.SortFunc(out, func(a, b Condition) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// quietFor is after how long without a status nobody reads a camera: they are repeated
// each minute at least.
const quietFor = 150 * time.Second

// Why is the reason for a gap, in a word and in words.
func (r *Reports) Why(g Gap, wrong []Condition) (kind, reason string) {
	if c := longestIn(g, wrong); c != nil {
		return "offline", words("the camera gave no video", c.Reason)
	}
	if g.Dropped > 0 {
		n := fmt.Sprintf("%d clips were", g.Dropped)
		if g.Dropped == 1 {
			n = "1 clip was"
		}
		return "dropped", n + " cut and not recognised: dropped as there were too many, or unreadable"
	}
	within, before, after := r.around(g)
	switch {
	case within != nil && within.state == topics.StreamStopped:
		return "workers", words("no worker read the camera", within.reason)
	case within != nil && within.state != topics.StreamStreaming && within.reason != "":
		return "offline", words("the camera was "+string(within.state), within.reason)
	case g.Anew && g.To.Sub(g.From) < quietFor:
		return "offline", "the stream broke off, and began anew"
	case within != nil && within.state == topics.StreamStreaming:
		return "not recognised", words("the camera streamed, and nothing was recognised", within.reason)
	case within == nil && before && after && g.To.Sub(g.From) > quietFor:
		return "workers", "no worker read the camera"
	}
	return "none", "no clip"
}

func words(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// longestIn is the time offline that takes most of a gap, if that is half of it.
func longestIn(g Gap, wrong []Condition) *Condition {
	var best *Condition
	most := g.To.Sub(g.From) / 2
	for i := range wrong {
		c := &wrong[i]
		if c.Kind != "offline" {
			continue
		}
		from, to := later(c.From, g.From), c.To
		if to.After(g.To) {
			to = g.To
		}
		if d := to.Sub(from); d >= most && d > 0 {
			most, best = d, c
		}
	}
	return best
}

// around are the first status within a gap, and whether there are some right before and
// after it, so that it is known that there is none: older ones are deleted.
func (r *Reports) around(g Gap) (within *report, before, after bool) {
	i, _ := slices.BinarySearchFunc(r.times, g.From, func(a report, t time.Time) int { return a.at.Compare(t) })
	before = i > 0 && g.From.Sub(r.times[i-1].at) < quietFor
	for ; i < len(r.times) && r.times[i].at.Before(g.To); i++ {
		// The first ones are of when it was still fine, or of its end.
		if within == nil || within.state == topics.StreamStreaming && r.times[i].state != topics.StreamStreaming {
			within = &r.times[i]
		}
	}
	after = i < len(r.times)
	return within, before, after
}
