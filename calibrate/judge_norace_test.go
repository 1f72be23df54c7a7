//go:build !race

package calibrate

import (
	"math"
	"slices"
	"testing"
)

// The threshold for a rate is the lowest that keeps it, as every level says that lies
// between two values of clips.
func TestRatesAreKeptAndMissesCounted(t *testing.T) {
	s := simulated(t, 6)
	if math.Abs(s.days-12) > 0.01 || s.cases != 96 {
		t.Fatalf("%v days, %d cases", s.days, s.cases)
	}
	if err := s.run(t.Context(), 12); err != nil {
		t.Fatal(err)
	}
	var values []float64
	for _, at := range s.sites {
		for _, v := range at.values {
			values = append(values, float64(v))
		}
	}
	slices.Sort(values)
	slices.Reverse(values)
	for _, allowed := range []int{0, 3, 12} {
		got := s.within(allowed)
		want := tally{level: s.top + above}
		for i := 1; i < len(values); i++ {
			t := s.at((values[i-1] + values[i]) / 2)
			if t.false() > allowed {
				break
			}
			want = t
		}
		if got.found != want.found || got.alerts != want.alerts || got.false() > allowed || math.Abs(got.level-want.level) > 0.05 {
			t.Errorf("%d allowed: %+v, want %+v", allowed, got, want)
		}
	}
	j := Judgement{Name: "r", Cases: s.cases, NeedCases: LeastCases, CameraDays: s.days}
	j.take(s)
	m := j.Points[0].Measured
	if m == nil || j.Points[1].Measured != nil || m.Missed+m.Found != s.cases || m.FalseAlarms > 12 || m.FalseAlarms < 10 || m.PMiss != share(m.Missed, s.cases) ||
		m.PerDay != rate(m.FalseAlarms, s.days) || *m.Precision != share(m.Found, m.Found+m.FalseAlarms) || m.Found < 30 || m.Missed < 5 {
		t.Errorf("%+v", j.Points)
	}
	if again := s.at(logit(m.Threshold)); again.found != m.Found || again.false() != m.FalseAlarms {
		t.Errorf("at the threshold: %+v", again)
	}
	if !slices.ContainsFunc(j.Curve, func(p CurvePoint) bool { return p.Threshold == m.Threshold }) {
		t.Error("the point is not on the curve")
	}
}
