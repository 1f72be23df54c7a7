package calibrate

import (
	"slices"
	"time"
)

// values are, for each clip, an upper bound of the levels at which the rule can raise
// with it: the highest of the columns, or for a sequence the lower of the two that it
// takes. A camera may show the first of them nearly always.
func (t *trial) values(s *series) []float32 {
	if t.rule.Then == nil {
		return s.highest()
	}
	out := s.before(t.lately(s.columns[0]), t.rule.Then.Within)
	for i, v := range t.lately(s.columns[1]) {
		out[i] = min(out[i], v)
	}
	return out
}

// lately is, for each clip, what N of the last M reach.
func (t *trial) lately(values []float32) []float32 {
	n, m := max(t.rule.Clips.N, 1), max(t.rule.Clips.M, 1)
	if m == 1 {
		return values
	}
	out := make([]float32, len(values))
	var last []float32
	for i := range values {
		if out[i] = -limit; i+1 >= n {
			last = append(last[:0], values[max(0, i-m+1):i+1]...)
			slices.Sort(last)
			out[i] = last[len(last)-n]
		}
	}
	return out
}

// before is, for each clip, the highest value of the earlier clips whose windows end at
// most span before its own.
func (s *series) before(values []float32, span time.Duration) []float32 {
	out := make([]float32, len(values))
	var near []int // clips within the span that no later one exceeds, values descending
	for i, end := range s.ends {
		for len(near) > 0 && end-s.ends[near[0]] > int64(span) {
			near = near[1:]
		}
		if out[i] = -limit; len(near) > 0 {
			out[i] = values[near[0]]
		}
		for len(near) > 0 && values[near[len(near)-1]] <= values[i] {
			near = near[:len(near)-1]
		}
		near = append(near, i)
	}
	return out
}

// wide is how much time around a clip that can raise matters for what follows: for a
// sequence more than its own time, since what came first takes several clips.
func (t *trial) wide(s *series) (clips int, span time.Duration) {
	clips, span = t.reach()
	if t.rule.Then != nil && s.len() > 0 {
		span += 2 * time.Duration(clips) * s.watched() / time.Duration(s.len())
	}
	return clips, span
}
