package eval

import (
	"math"
	"testing"
)

// Worked out by hand. Ten minutes, so that a false alarm is 0.1 a minute.
func TestMissesAtARateOfFalseAlarms(t *testing.T) {
	of := func(own bool, scores ...float32) (out []scored) {
		for _, s := range scores {
			out = append(out, scored{s, own})
		}
		return out
	}
	// By score: own .9, other .8, own .7, other .6, own .5, own .4.
	mixed := append(of(true, .5, .9, .4, .7), of(false, .6, .8)...)
	for _, c := range []struct {
		name string
		all  []scored
		rate float64
		want float64
	}{
		// Thresholds .9: 3/4 missed at 0; .8: 3/4 at .1; .7: 2/4 at .1; .6: 2/4 at .2; .5: 1/4; .4: none.
		{"at one false alarm the lowest threshold counts", mixed, .1, .5},
		{"half way from 0 to one false alarm, both with 3/4", mixed, .05, .75},
		{"half way from one to two, both with 2/4", mixed, .15, .5},
		{"at two", mixed, .2, 0},
		{"at more than there are", mixed, 5, 0},
		// .9: one of two found without a false alarm; .8 has one more and a false alarm.
		{"interpolated", append(of(true, .9, .8), of(false, .8)...), .05, .25},
		// The first threshold has two false alarms already.
		{"the highest score is a false alarm", append(of(true, .9, .1), of(false, .9, .9)...), .1, 1},
		{"no false alarm at all", of(true, .2, .1), .01, 0},
	} {
		if got := missAt(c.all, 10, c.rate); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Of three classes one has no videos, one video is broken and counts for nothing.
func TestTheMeanOfMissesOverClasses(t *testing.T) {
	s := sheetOf("s", testClasses()[:3], []int{0, 0, 1, 1, 1}, []*answer{
		{best: []int{0}, all: []float32{.9, .05, .05}},
		{best: []int{1}, all: []float32{.2, .7, .1}},
		{best: []int{1}, all: []float32{.1, .8, .1}},
		{best: []int{0}, all: []float32{.6, .3, .1}},
		nil,
	})
	// Four videos of 30 s: two minutes, a false alarm is 0.5 a minute. Class 0 by score: .9 own,
	// .6 other, .2 own, .1 other: 1/2 missed without a false alarm and also with the first, none
	// below. Class 1: .8 own, .7 other, .3 own, .05 other: the same. Between 0 and 0.5 it is 1/2,
	// at 0.5 none is missed.
	mean, perClass := s.misses([]float64{.25, .5}, []float64{30, 30, 30, 30, 1000})
	if len(mean) != 2 || mean[0].PerMinute != .25 || math.Abs(*mean[0].PMiss-.5) > 1e-12 || *mean[1].PMiss != 0 {
		t.Errorf("%+v, %v and %v", mean, *mean[0].PMiss, *mean[1].PMiss)
	}
	if perClass[2][0] != nil || perClass[0][1] == nil || len(perClass[1]) != 2 {
		t.Errorf("by class: %v", perClass)
	}
	none, _ := sheetOf("s", testClasses()[:1], []int{0}, []*answer{nil}).misses([]float64{1}, []float64{5})
	if len(none) != 1 || none[0].PMiss != nil {
		t.Errorf("of nothing: %+v", none)
	}
}

func TestRatesAreChecked(t *testing.T) {
	for _, r := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := checkRates([]float64{1, r}); err == nil {
			t.Errorf("%v was accepted", r)
		}
	}
	if err := checkRates([]float64{.01, 1}); err != nil {
		t.Error(err)
	}
}
