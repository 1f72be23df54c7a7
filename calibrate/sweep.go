package calibrate

import (
	"context"
	"math"
	"slices"
)

// site is a camera that was watched, and a rule as it is there.
type site struct {
	camera string
	*trial
	past   *series   // what was recorded while somebody watched
	values []float32 // the highest of each clip
	cases  []interval
	// low is the level that the rule clears below, in log odds; NaN: usualClear of the
	// contrast that it raises at.
	low float64
}

// cleared is the level to clear below, for a level to raise at.
func (s *site) cleared(level float64) float64 {
	if math.IsNaN(s.low) {
		return logit(usualClear * logistic(level))
	}
	return min(s.low, level)
}

// tally is what a rule raises at a level, on all cameras together.
type tally struct {
	level         float64 // log odds
	alerts, found int
}

func (t tally) false() int { return t.alerts - t.found }

// at runs the rule at a level.
func (s *site) at(level float64) (alerts, found int) {
	low := s.cleared(level)
	clips, span := s.reach()
	near := s.past.around(s.values, float32(low), clips, span, false)
	var all []interval
	for _, e := range s.run(near, level, low) {
		all = append(all, e.interval)
	}
	return len(all), matched(all, s.cases)
}

// sweep is a rule that is tried at many levels.
type sweep struct {
	sites []*site
	cases int
	days  float64 // that were watched and recorded, of all cameras together
	top   float64 // the highest value
	curve []tally // levels descend
}

func newSweep(sites []*site) *sweep {
	s := &sweep{sites: sites, top: -limit}
	for _, at := range sites {
		at.values = at.past.highest()
		s.cases += len(at.cases)
		s.days += at.past.watched().Hours() / 24
		for _, v := range at.values {
			s.top = max(s.top, float64(v))
		}
	}
	return s
}

// at is what the rule raises at a level.
func (s *sweep) at(level float64) tally {
	t := tally{level: level}
	for _, at := range s.sites {
		alerts, found := at.at(level)
		t.alerts, t.found = t.alerts+alerts, t.found+found
	}
	return t
}

// mostOfClips is the share of clips that may reach a level: what reaches more often is
// what cameras usually show.
const mostOfClips = 0.5

// run tries levels from the highest value down, until all cases are found and there are
// more than enough false alarms, or until alerts run into each other.
func (s *sweep) run(ctx context.Context, enough int) error {
	var sorted []float32
	for _, at := range s.sites {
		sorted = append(sorted, at.trial.values(at.past)...)
	}
	slices.Sort(sorted)
	slices.Reverse(sorted)
	raised := 0
	for level := range between(sorted, int(mostOfClips*float64(len(sorted)))) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t := s.at(level)
		if raised = max(raised, t.alerts); raised >= minTail && float64(t.alerts) < merged*float64(raised) {
			return nil
		}
		s.curve = append(s.curve, t)
		if t.found == s.cases && t.false() > enough {
			return nil
		}
	}
	return nil
}

// within is what the rule raises at the lowest level at which, and above which, there
// are no more false alarms than allowed.
func (s *sweep) within(allowed int) tally {
	best := tally{level: s.top + above}
	over := slices.IndexFunc(s.curve, func(t tally) bool { return t.false() > allowed })
	switch {
	case over < 0 && len(s.curve) > 0:
		return s.curve[len(s.curve)-1]
	case over < 0:
		return best
	case over > 0:
		best = s.curve[over-1]
	}
	low := s.curve[over].level
	for range 12 {
		t := s.at((best.level + low) / 2)
		if t.false() > allowed {
			low = t.level
		} else {
			best = t
		}
	}
	return best
}
