package twomodels

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
)

// However many stretches are taken of a range, they are spread over it, and all of it comes
// in the end.
func TestStretchesAreSpread(t *testing.T) {
	since := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	var got []int
	all := stretches(since, since.Add(5*time.Minute+30*time.Second))
	for _, g := range all {
		got = append(got, int(g.Since.Sub(since)/time.Minute))
	}
	// The numbers from 0 to 7 with their three bits reversed, without 6 and 7.
	if want := []int{0, 4, 2, 1, 5, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if last := all[4]; !last.Until.Equal(since.Add(330 * time.Second)) {
		t.Errorf("the last ends at %v", last.Until)
	}
	if one := stretches(since, since.Add(time.Second)); len(one) != 1 || one[0].Until.Sub(one[0].Since) != time.Second {
		t.Errorf("of a second: %v", one)
	}
	if none := stretches(since, since); none != nil {
		t.Errorf("of nothing: %v", none)
	}
}

// Worked out by hand: ranks of 3, 1, 2, 2 are 3, 0, 1.5, 1.5.
func TestRankCorrelation(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{.1, .5, .6}, 1},
		{[]float64{1, 2, 3}, []float64{9, 8, -7}, -1},
		// Ranks 0 1 2 3 and 1 0 3 2: squares of their differences 4, so 1 - 6·4/(4·15) = 0.6.
		{[]float64{1, 2, 3, 4}, []float64{2, 1, 4, 3}, .6},
		// Ranks 3 0 1.5 1.5 and 3 0 1 2, less 1.5: products 2.25+2.25, squares 4.5 and 5.
		{[]float64{3, 1, 2, 2}, []float64{9, 6, 7, 8}, 4.5 / math.Sqrt(4.5*5)},
	} {
		if got := spearman(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v, %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
	if got := spearman([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("equal values have a rank correlation of %v", got)
	}
}

// Those farthest apart come first, one of a camera's clips that follow each other.
func TestTheClipsThatDifferMost(t *testing.T) {
	at := func(camera string, s int, a, b float64) Difference {
		return Difference{Camera: camera, Start: time.Unix(int64(s), 0), A: a, B: b}
	}
	r := &Result{}
	r.apart([]Difference{at("x", 0, .1, .2), at("x", 100, .9, .1), at("x", 110, .1, .8), at("y", 105, .5, .9), at("x", 140, 0, .05)})
	var got []float64
	for _, d := range r.Differ {
		got = append(got, d.distance())
	}
	if len(got) != 4 || got[0] != .8 || r.Differ[1].Camera != "y" || got[2] > got[1] || got[3] != .05 {
		t.Errorf("%+v", r.Differ)
	}
}

func TestAlertsAreCountedByRule(t *testing.T) {
	rules, err := alerts.NewRuleSet(
		alerts.Rule{Name: "fall", Actions: []string{"a"}},
		alerts.Rule{Name: "score", Actions: []string{"a"}, Score: &alerts.Levels{Raise: .5}},
		alerts.Rule{Name: "still", Actions: []string{"b"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	r := &Result{}
	r.rules(rules, []calibrate.Compared{{Rule: "fall", Found: calibrate.InBoth}, {Rule: "fall", Found: calibrate.InLive}, {Rule: "fall", Found: calibrate.InBacktest}, {Rule: "fall", Found: calibrate.InBacktest}, {Rule: "score", Found: calibrate.InLive}})
	if want := []Rule{{"fall", 2, 3, 1}, {"still", 0, 0, 0}}; !slices.Equal(r.Rules, want) || len(r.Notes) != 1 {
		t.Errorf("%+v, %q, want %+v", r.Rules, r.Notes, want)
	}
}
