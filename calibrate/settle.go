package calibrate

import (
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// clearFactor: an alert is kept open by what would be raised this many times as
	// often as the budget allows.
	clearFactor = 10
	// deepest is how far below the raise level a clear level may be, in log odds.
	deepest = 4
	// leastDays is the past that a camera needs for a threshold of its own: one hour.
	leastDays = 1.0 / 24
	// leastExpected is how many false alarms the budget has to allow for in that past:
	// for fewer, the tail would be stretched too far.
	leastExpected = 0.05
	// pooled is which quantile of other cameras' thresholds a camera without a past
	// gets: more of them raise less often at it than their budget allows.
	pooled = 0.75
	// usual is how many clips show what a camera usually shows, where all are alike.
	usual = 100
	// usualClear is the share of raise that is the default for clear, as in the alerts
	// stage.
	usualClear = 2.0 / 3
)

// levels are those found for a rule on a camera, in log odds.
type levels struct {
	raise, clear float64
	byTail       bool
}

// settle makes thresholds of what the past has.
func (d *dial) settle(all []*placed) (out []topics.Threshold) {
	byRule := map[string][]*placed{}
	var names []string
	for _, p := range all {
		if byRule[p.rule.Name] == nil {
			names = append(names, p.rule.Name)
		}
		byRule[p.rule.Name] = append(byRule[p.rule.Name], p)
	}
	for _, name := range names {
		out = append(out, d.settleRule(name, byRule[name])...)
	}
	return out
}

// settleRule finds the levels of one rule on its cameras: first of those with a past
// of their own.
func (d *dial) settleRule(name string, all []*placed) []topics.Threshold {
	found := map[string]levels{}
	var shared []*placed // with a budget for all cameras together
	var raises []float64
	for _, p := range all {
		if p.rule.FalseAlarms.InAll {
			shared = append(shared, p)
			continue
		}
		if l, ok := p.own(p.rule.FalseAlarms.PerDay(1)); ok {
			found[p.camera] = l
			raises = append(raises, l.raise)
		}
	}
	if l, ok := inAll(shared, d.Fleet[name]); ok {
		for _, p := range shared {
			if p.known(l.raise) {
				found[p.camera] = l
				raises = append(raises, l.raise)
			}
		}
	}
	hashes := map[string]bool{}
	for _, p := range all {
		hashes[d.of(p.camera, name).hash] = true
	}
	for _, t := range d.Known {
		// Contrasts of another model are others.
		if t.Rule == name && t.Model == d.Model.ID && !t.Learning && hashes[withoutZones(t.Words)] {
			raises = append(raises, logit(t.Raise))
		}
	}
	out := make([]topics.Threshold, len(all))
	for i, p := range all {
		l, own := found[p.camera]
		if !own {
			l = p.learning(raises)
		}
		out[i] = d.threshold(p, l, !own)
	}
	return out
}

// own are the levels that keep a rate of false alarms a day, if the past is enough.
func (p *placed) own(rate float64) (l levels, ok bool) {
	expected := rate * p.days
	if p.days < leastDays || expected < leastExpected || len(p.levels) == 0 {
		return l, false
	}
	l.byTail = p.byTail(expected)
	if l.clear, ok = p.level(clearFactor*expected, limit); !ok {
		l.clear = p.lowest()
	}
	if l.raise, ok = p.level(expected, l.clear); !ok {
		return l, false
	}
	if l.clear < l.raise-deepest {
		l.clear = l.raise - deepest
		l.raise, ok = p.level(expected, l.clear)
	}
	l.clear = min(l.clear, l.raise)
	return l, ok
}

// known is whether the past of a camera is enough to tell how often a level is
// reached.
func (p *placed) known(level float64) bool {
	return p.days >= leastDays && len(p.levels) > 0 && level >= p.lowest()
}

// inAll is the common level at which all cameras together keep a budget. Cameras
// without a past take the share of the others.
func inAll(all []*placed, fleet int) (l levels, ok bool) {
	var with []*placed
	low, high := float64(-limit), float64(-limit)
	for _, p := range all {
		if p.days >= leastDays && len(p.levels) > 0 {
			with = append(with, p)
			low, high = max(low, p.lowest()), max(high, p.top+deepest)
		}
	}
	if len(with) == 0 {
		return l, false
	}
	want := with[0].rule.FalseAlarms.PerDay(1) * float64(len(with)) / float64(max(fleet, len(with)))
	l.raise, ok = common(with, low, high, want)
	if !ok {
		return l, false
	}
	if l.clear, ok = common(with, low, l.raise, clearFactor*want); !ok {
		l.clear = low
	}
	l.clear = min(max(l.clear, l.raise-deepest), l.raise)
	for _, p := range with {
		l.byTail = l.byTail || p.byTail(p.rate(l.raise)*p.days)
	}
	return l, true
}

// common is the level from low to high at which cameras raise so many alerts a day
// together; ok is false where they raise fewer even at the low one.
func common(all []*placed, low, high, want float64) (level float64, ok bool) {
	sum := func(level float64) (rate float64) {
		for _, p := range all {
			rate += p.rate(level)
		}
		return rate
	}
	if sum(low) < want {
		return low, false
	}
	for range 40 {
		if middle := (low + high) / 2; sum(middle) > want {
			low = middle
		} else {
			high = middle
		}
	}
	return high, true
}

// learning are the levels of a camera whose past is too short: those of other cameras,
// or the default. They are higher where the short past alone would use up the budget,
// or shows nothing but one value.
func (p *placed) learning(others []float64) (l levels) {
	l.raise = logit(alerts.DefaultContrast)
	if len(others) > 0 {
		slices.Sort(others)
		l.raise = others[int(pooled*float64(len(others)-1)+0.5)]
	}
	if level, ok := p.counted(p.rule.FalseAlarms.Count, limit); ok {
		l.raise = max(l.raise, level)
	} else if len(p.levels) == 0 && p.clips >= usual {
		l.raise = max(l.raise, p.top+above)
	}
	l.raise = min(l.raise, limit)
	l.clear = logit(usualClear * logistic(l.raise))
	return l
}

// atLeast are levels that don't let a rule raise below a contrast, and whether that
// changes them.
func (l levels) atLeast(contrast float64) (levels, bool) {
	if logistic(l.raise) >= contrast {
		return l, false
	}
	return levels{raise: logit(contrast), clear: max(l.clear, logit(usualClear*contrast))}, true
}

// threshold is the record of levels that were found.
func (d *dial) threshold(p *placed, l levels, learning bool) topics.Threshold {
	l, bounded := l.atLeast(d.Least)
	t := topics.Threshold{
		Camera: p.camera, Rule: p.rule.Name, RuleHash: p.rule.Hash, Budget: p.rule.FalseAlarms.String(), At: d.Now.UTC(),
		Raise: logistic(min(max(l.raise, -limit), limit)), Learning: learning, Since: p.since, Until: p.until,
		Days: p.days, Clips: p.clips, Happenings: p.most(),
		Model: d.Model.ID, References: d.Model.References, Words: d.of(p.camera, p.rule.Name).hash + d.Zones.of(p.camera, p.rule.Rule).hash(),
	}
	t.Clear = min(logistic(max(l.clear, -limit)), t.Raise)
	switch {
	case learning:
	case bounded:
		t.Tail = "least"
	case l.byTail:
		t.Tail = "extrapolated"
	default:
		t.Tail = "counted"
	}
	return t
}
