package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Run is a stretch of time in which clips followed each other.
type Run struct {
	Start, End  time.Time
	Epoch       time.Time // of the stream, at its end
	First, Last uint64    // sequences of its first and last clip
	began       time.Time // the epoch at its start
}

// maxRuns bounds the runs of what is read: a stream may break off each few seconds.
const maxRuns = 5000

// runs are those of one partition.
type runs struct {
	join time.Duration // holes that are shorter are none
	list []Run
}

// add takes over a clip; false: it was there before.
func (r *runs) add(rec *topics.Recognition) bool {
	if len(r.list) == 0 {
		r.list = append(r.list, Run{rec.Start, rec.End, rec.Epoch, rec.Sequence, rec.Sequence, rec.Epoch})
		return true
	}
	last := &r.list[len(r.list)-1]
	if !rec.End.After(last.End) {
		return false
	}
	follows := rec.Epoch.Equal(last.Epoch) && rec.Sequence == last.Last+1 && !rec.Epoch.IsZero()
	if follows || rec.Start.Sub(last.End) < r.join || len(r.list) >= maxRuns {
		last.End, last.Epoch, last.Last = rec.End, rec.Epoch, rec.Sequence
		return true
	}
	r.list = append(r.list, Run{rec.Start, rec.End, rec.Epoch, rec.Sequence, rec.Sequence, rec.Epoch})
	return true
}

// Gap is a time without clips.
type Gap struct {
	From, To time.Time
	// Dropped is how many clips of an unbroken stream are missing in it.
	Dropped uint64
	// Anew: a new epoch of the stream begins after it.
	Anew bool
}

// Gaps are the times without clips from one to another, in their order; now is how far
// clips can have come.
func (h *Heights) Gaps(from, to, now time.Time, shortest time.Duration) []Gap {
	if now.Before(to) {
		to = now
	}
	slices.SortFunc(h.runs, func(a, b Run) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	var out []Gap
	at := Run{End: from}
	for i, r := range append(slices.Clone(h.runs), Run{Start: to, End: to}) {
		if r.Start.After(to) {
			r.Start = to
		}
		if hole := r.Start.Sub(at.End); hole >= shortest && hole > 0 {
			g := Gap{From: at.End, To: r.Start}
			known := i < len(h.runs) && !at.Epoch.IsZero() && !r.began.IsZero()
			switch {
			case known && !at.Epoch.Equal(r.began):
				g.Anew = true
			case known && r.First > at.Last:
				g.Dropped = r.First - at.Last - 1
			}
			out = append(out, g)
		}
		if r.End.After(at.End) {
			at = r
		}
	}
	return out
}
