package calibrate

import (
	"math"
	"slices"
	"time"
)

// series is the past of one camera as far as rules with a budget need it: for each
// clip its time and, in each column, the log odds of the highest contrast of some
// labels.
type series struct {
	ends    []int64 // of the clips' windows, Unix nanoseconds
	run     []int32 // index into runs
	runs    []stretch
	columns [][]float32
}

// stretch is what the clips of a part of a stream epoch have in common.
type stretch struct {
	epoch  time.Time
	window time.Duration
}

func newSeries(columns int) *series { return &series{columns: make([][]float32, columns)} }

func (s *series) len() int { return len(s.ends) }

// add appends a clip whose values are set by put. One that was recorded twice is left
// out.
func (s *series) add(epoch, start, end time.Time, put func(column int) float32) {
	at := stretch{epoch, end.Sub(start)}
	if n := len(s.runs); n == 0 || !s.runs[n-1].epoch.Equal(at.epoch) || s.runs[n-1].window != at.window {
		s.runs = append(s.runs, at)
	} else if m := len(s.ends); m > 0 && end.UnixNano() <= s.ends[m-1] {
		return
	}
	s.ends, s.run = append(s.ends, end.UnixNano()), append(s.run, int32(len(s.runs)-1))
	for i := range s.columns {
		s.columns[i] = append(s.columns[i], put(i))
	}
}

// only is a series of the columns from one to before another. It shares their memory.
func (s *series) only(from, to int) *series {
	out := *s
	out.columns = s.columns[from:to]
	return &out
}

// part are the clips from one to before another. It shares their memory.
func (s *series) part(from, to int) *series {
	out := *s
	out.ends, out.run, out.columns = s.ends[from:to], s.run[from:to], nil
	for _, column := range s.columns {
		out.columns = append(out.columns, column[from:to])
	}
	return &out
}

// highest are the clips' highest values over all columns.
func (s *series) highest() []float32 {
	if len(s.columns) == 1 {
		return s.columns[0]
	}
	out := slices.Clone(s.columns[0])
	for _, column := range s.columns[1:] {
		for i, v := range column {
			out[i] = max(out[i], v)
		}
	}
	return out
}

// maxPause bounds what the time between two clips counts as: longer than the usual
// strides, and short enough for gaps not to count.
const maxPause = time.Minute

// watched is the time that the clips cover, without gaps.
func (s *series) watched() time.Duration {
	var sum time.Duration
	for i := range s.ends {
		step := s.runs[s.run[i]].window
		if i > 0 && s.run[i] == s.run[i-1] {
			step = min(time.Duration(s.ends[i]-s.ends[i-1]), max(step, maxPause))
		}
		sum += step
	}
	return sum
}

// bounds are the start of the first clip and the end of the last.
func (s *series) bounds() (since, until time.Time) {
	if s.len() == 0 {
		return since, until
	}
	first := time.Unix(0, s.ends[0]).UTC().Add(-s.runs[s.run[0]].window)
	return first, time.Unix(0, s.ends[s.len()-1]).UTC()
}

// keep copies the clips for which want is true. Where clips are left out between two
// that are kept and cut is true, the later one begins a new epoch, so that no rule
// counts clips of both sides together.
func (s *series) keep(cut bool, want func(i int) bool) *series {
	out := newSeries(len(s.columns))
	last, shift := -2, time.Duration(0)
	for i := range s.ends {
		if !want(i) {
			continue
		}
		hole := cut && last >= 0 && i != last+1
		if hole {
			shift++ // a nanosecond makes it another epoch
		}
		at := s.runs[s.run[i]]
		at.epoch = at.epoch.Add(shift)
		if last < 0 || hole || s.run[i] != s.run[last] {
			out.runs = append(out.runs, at)
		}
		out.ends, out.run = append(out.ends, s.ends[i]), append(out.run, int32(len(out.runs)-1))
		for c := range s.columns {
			out.columns[c] = append(out.columns[c], s.columns[c][i])
		}
		last = i
	}
	return out
}

// interval is a stretch of time, both ends included.
type interval struct{ from, to time.Time }

// without leaves out the clips whose windows touch one of the intervals.
func (s *series) without(all []interval) *series {
	if len(all) == 0 {
		return s
	}
	return s.keep(true, func(i int) bool {
		end := time.Unix(0, s.ends[i])
		start := end.Add(-s.runs[s.run[i]].window)
		return !slices.ContainsFunc(all, func(v interval) bool { return !end.Before(v.from) && !start.After(v.to) })
	})
}

// around are the clips that reach a level, and those near them: so many clips, and so
// much time, before and after. cut is that of keep.
func (s *series) around(values []float32, level float32, clips int, span time.Duration, cut bool) *series {
	near := make([]bool, s.len())
	until := -1 // clips up to this one are near a clip that was seen
	for i, v := range values {
		if v < level {
			continue
		}
		for j := max(i-1, 0); j >= 0 && !near[j] && (j >= i-clips || s.ends[i]-s.ends[j] <= int64(span)); j-- {
			near[j] = true
		}
		for until = max(until, i-1); until+1 < len(near) && (until+1 <= i+clips || s.ends[until+1]-s.ends[i] <= int64(span)); {
			until++
			near[until] = true
		}
	}
	return s.keep(cut, func(i int) bool { return near[i] })
}

// limit bounds log odds: beyond, a contrast is 0 or 1 for a float64.
const limit = 36

// logit is the log odds of a contrast.
func logit(p float64) float64 {
	if math.IsNaN(p) {
		return -limit
	}
	return min(max(math.Log(p)-math.Log1p(-p), -limit), limit)
}

// logistic is the inverse of logit.
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
