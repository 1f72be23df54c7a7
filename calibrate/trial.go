package calibrate

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// trial runs one rule over the past of one camera at any levels: with the engine of
// the alerts stage, on recognitions that are made of a series.
type trial struct {
	camera string
	rule   alerts.Rule
	set    *alerts.RuleSet
	hash   string
	labels []topics.LabelScore // one for each column
}

func newTrial(camera string, rule alerts.Rule) (*trial, error) {
	rule = rule.Alone()
	set, err := alerts.NewRuleSet(rule)
	if err != nil {
		return nil, err
	}
	return &trial{camera: camera, rule: rule, set: set, hash: rule.Hash(), labels: columnLabels(rule)}, nil
}

// columnLabels are labels that the rule selects, one for each of its columns.
func columnLabels(r alerts.Rule) (out []topics.LabelScore) {
	for _, part := range r.Parts() {
		var l topics.LabelScore
		switch {
		case len(part.Actions) > 0:
			l.Label = part.Actions[0]
		case len(part.Tags) > 0:
			l.Label, l.Tags = "tagged", part.Tags[:1]
		default:
			l.Label, l.Novel = "novel", true
		}
		if len(part.Zone) > 0 { // which of them does not matter: a column has the best
			l.Zone = &topics.ZoneRef{Name: part.Zone[0]}
		}
		out = append(out, l)
	}
	return out
}

// reach is how many clips, and how much time, around a clip can matter for what
// follows from it.
func (t *trial) reach() (clips int, span time.Duration) {
	if t.rule.Then != nil {
		span = t.rule.Then.Within
	}
	return max(t.rule.Clips.M, 1), span
}

// event is an alert that a trial raises: the clips that raised and cleared it, by
// index, and from its onset to its clear.
type event struct {
	raised, cleared int
	interval
}

// run evaluates the rule on a series, with levels in log odds. An alert that is open
// at the end is cleared by the last clip.
func (t *trial) run(s *series, raise, low float64) (events []event) {
	engine := alerts.NewEngine(t.set, noClips)
	engine.SetThreshold(t.camera, t.rule.Name, &topics.Threshold{RuleHash: t.hash, Raise: logistic(raise), Clear: logistic(min(low, raise))})
	rec := topics.Recognition{Camera: t.camera, ClipID: "clip", Labels: slices.Clone(t.labels)}
	open := false
	note := func(all []topics.Alert, i int) {
		for _, a := range all {
			switch a.State {
			case topics.AlertRaised:
				last := s.len() - 1
				events, open = append(events, event{i, last, interval{a.Onset, time.Unix(0, s.ends[last])}}), true
			case topics.AlertCleared:
				e := &events[len(events)-1]
				e.cleared, e.to, open = i, a.At, false
			}
		}
	}
	for i, end := range s.ends {
		at := s.runs[s.run[i]]
		rec.End = time.Unix(0, end).UTC()
		if i > 0 && open {
			note(silence(engine, time.Unix(0, s.ends[i-1]), rec.End), i-1)
		}
		rec.Start, rec.Epoch, rec.Sequence = rec.End.Add(-at.window), at.epoch, uint64(i)
		for c := range rec.Labels {
			rec.Labels[c].Contrast = logistic(float64(s.columns[c][i]))
		}
		note(engine.Evaluate(rec), i)
	}
	return events
}

// silence lets the engine's clock run between two clips, as far as it can clear an
// alert.
func silence(engine *alerts.Engine, from, to time.Time) (cleared []topics.Alert) {
	if to.Sub(from) <= noClips {
		return nil
	}
	const longest = 4 * time.Hour // more than three of the longest strides
	engine.Tick(from)
	for at := from; at.Before(to) && at.Sub(from) < longest && len(cleared) == 0; {
		at = at.Add(alerts.TickEvery(noClips))
		cleared = engine.Tick(at)
	}
	return cleared
}

// peaks are the heights of happenings, highest first: for each alert that the rule
// raises at a level, the highest level at which it would have raised one.
func (t *trial) peaks(s *series, level float64) []float64 {
	clips, span := t.reach()
	var out []float64
	for _, e := range t.run(s, level, level) {
		first := e.raised
		for first > 0 && (e.raised-first < clips || s.ends[e.raised]-s.ends[first-1] <= int64(span)) {
			first--
		}
		out = append(out, t.peak(s.part(first, e.cleared+1), level))
	}
	slices.SortFunc(out, func(a, b float64) int { return -compare(a, b) })
	return out
}

// peak is the highest of the values of a series at which the rule raises an alert;
// least if there is none.
func (t *trial) peak(s *series, least float64) float64 {
	var heights []float64
	for _, column := range s.columns {
		for _, v := range column {
			if float64(v) > least {
				heights = append(heights, float64(v))
			}
		}
	}
	slices.Sort(heights)
	low, high := -1, len(heights) // it raises at low, and not at high
	for high-low > 1 {
		middle := (low + high) / 2
		if len(t.run(s, heights[middle], heights[middle])) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	if low < 0 {
		return least
	}
	return heights[low]
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
