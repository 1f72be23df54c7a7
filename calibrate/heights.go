package calibrate

import (
	"math"
	"slices"
)

// heights is how often a rule would have raised on one camera at each level: counted,
// and beyond what is seen often enough, by the tail of the highest peaks. Levels are
// log odds.
type heights struct {
	trial *trial
	near  *series // the clips that come near to the lowest level
	// levels descend; counts are the alerts at each, which rise, without those at
	// levels so low that alerts run into each other.
	levels []float64
	counts []int
	days   float64 // of the past, without gaps
	top    float64 // the highest value
	tail   tail
	tailed bool // there are enough peaks for a tail
}

const (
	// mostClips is the share of clips that may reach a level: what reaches more often
	// is what the camera usually shows, and no happening.
	mostClips = 0.1
	// merged: where so much fewer alerts than the most are raised at a lower level, they
	// have run into each other.
	merged = 0.7
	// above is by how much a level is higher than a value that must not reach it.
	above = 0.01
)

// newHeights tries levels from the highest value down, until the rule raises `want`
// times.
func newHeights(t *trial, past *series, want int) *heights {
	h := &heights{trial: t, days: past.watched().Hours() / 24, top: -limit}
	if past.len() == 0 {
		return h
	}
	values := t.values(past)
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	h.top = float64(sorted[0])
	clips, span := t.wide(past)
	for level := range between(sorted, int(mostClips*float64(len(sorted)))) {
		// Of a sequence, clips on both sides of what is left out may reach the level, and
		// must not be counted together.
		near := past.around(values, float32(level), clips, span, t.rule.Then != nil)
		n := len(t.run(near, level, level))
		if best := h.most(); best >= minTail && float64(n) < merged*float64(best) {
			break
		}
		h.near, h.levels, h.counts = near, append(h.levels, level), append(h.counts, max(n, h.most()))
		if n >= want {
			break
		}
	}
	if h.near != nil {
		h.tail, h.tailed = fitTail(t.peaks(h.near, h.lowest()))
	}
	return h
}

// most is how many alerts the rule raises at the lowest level.
func (h *heights) most() int {
	if len(h.counts) == 0 {
		return 0
	}
	return h.counts[len(h.counts)-1]
}

// lowest is the lowest level that was tried.
func (h *heights) lowest() float64 { return h.levels[len(h.levels)-1] }

// enough is how many alerts of the past a threshold is counted from; for fewer, the
// tail is asked. The standard error of a rate is a third of it where 10 were counted,
// and a fifth where 20 were: up to there a tail of many more peaks does better.
const enough = 20

// count is how often the rule raises at a level, keeping alerts open from clear on.
func (h *heights) count(level, low float64) int {
	return len(h.trial.run(h.near, level, max(min(low, level), h.lowest())))
}

// byTail is whether a number of alerts of this past has to be extrapolated to.
func (h *heights) byTail(expected float64) bool { return expected < enough && h.tailed }

// level is the lowest at which the rule raises no more often than expected, and no
// higher one raises more often. It is ok only where the past has that many alerts, or
// a tail.
func (h *heights) level(expected, low float64) (level float64, ok bool) {
	if h.byTail(expected) {
		return h.tail.level(expected), true
	}
	return h.counted(int(math.Round(expected)), low)
}

// counted is level, from the past alone.
func (h *heights) counted(most int, low float64) (level float64, ok bool) {
	i := slices.IndexFunc(h.counts, func(n int) bool { return n > most })
	if i < 0 || most == 0 {
		return 0, false
	}
	lower, high := h.levels[i], h.top+above
	if i > 0 {
		high = h.levels[i-1]
	}
	// Where alerts are kept open from a lower level on, they last longer and are fewer.
	for i+1 < len(h.levels) && h.count(lower, low) <= most && h.levels[i+1] > low {
		i++
		lower, high = h.levels[i], lower
	}
	for range 12 {
		middle := (lower + high) / 2
		if h.count(middle, low) > most {
			lower = middle
		} else {
			high = middle
		}
	}
	return high, true
}

// rate is how many alerts a day are expected at a level.
func (h *heights) rate(level float64) float64 {
	if h.days == 0 || len(h.levels) == 0 {
		return 0
	}
	n := float64(h.counts[0])
	for i, l := range h.levels {
		if l < level {
			break
		}
		n = float64(h.counts[i])
	}
	if h.byTail(n) && level >= h.tail.start {
		n = h.tail.expected(level)
	} else if level > h.levels[0] {
		n = 0
	}
	return n / h.days
}
