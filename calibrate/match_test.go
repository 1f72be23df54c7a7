package calibrate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// most tries every way of pairing.
func most(alerts, cases []interval) int {
	if len(alerts) == 0 {
		return 0
	}
	best := most(alerts[1:], cases)
	for i, c := range cases {
		if shares(alerts[0], c) {
			best = max(best, 1+most(alerts[1:], slices.Delete(slices.Clone(cases), i, i+1)))
		}
	}
	return best
}

// The pairs that are found are the most that there can be, whatever overlaps what.
func TestMatchedIsTheMost(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	// some are intervals in order; those that overlap do so by less than their length.
	some := func(overlap bool) (out []interval) {
		at := random.IntN(4)
		for range random.IntN(6) {
			long := 1 + random.IntN(8)
			out = append(out, interval{t0.Add(time.Duration(at) * 400 * time.Millisecond), t0.Add(time.Duration(at+long) * 400 * time.Millisecond)})
			if at += long + random.IntN(5); overlap {
				at -= min(random.IntN(3), long-1)
			}
		}
		return out
	}
	found := 0
	for range 20_000 {
		alerts, cases := some(true), some(false)
		if got, want := matched(alerts, cases), most(alerts, cases); got != want {
			t.Fatalf("%v\n%v\nmatched %d, want %d", alerts, cases, got, want)
		}
		found += matched(alerts, cases)
	}
	if found < 15_000 {
		t.Errorf("only %d pairs in all", found)
	}
}

// An alert has to share a second with a case, or half of a shorter one.
func TestHowMuchIsShared(t *testing.T) {
	at := func(from, to float64) interval {
		return interval{t0.Add(time.Duration(from * float64(time.Second))), t0.Add(time.Duration(to * float64(time.Second)))}
	}
	for _, c := range []struct {
		alert, of interval
		want      bool
	}{
		{at(0, 10), at(9, 30), true}, {at(0, 10), at(9.1, 30), false}, {at(9, 30), at(0, 10), true}, {at(9.1, 30), at(0, 10), false},
		{at(0, 10), at(9.6, 10.4), true}, {at(0, 10), at(9.7, 10.4), false}, {at(0, 10), at(11, 12), false}, {at(0, 10), at(3, 3.1), true},
	} {
		if got := shares(c.alert, c.of); got != c.want {
			t.Errorf("%v and %v: %v", c.alert, c.of, got)
		}
	}
}

// The intervals are those that tables of statistics have.
func TestEstimates(t *testing.T) {
	for _, c := range []struct {
		got             Estimate
		value, low, top float64
	}{
		{share(0, 10), 0, 0, 0.278}, {share(5, 10), 0.5, 0.237, 0.763}, {share(10, 10), 1, 0.722, 1}, {share(8, 40), 0.2, 0.105, 0.348}, {share(0, 0), 0, 0, 1},
		// Exact: 0 to 3.689, 0.619 to 8.767, 4.795 to 18.390.
		{rate(0, 1), 0, 0, 3.69}, {rate(3, 1), 3, 0.61, 8.77}, {rate(10, 1), 10, 4.79, 18.39}, {rate(10, 4), 2.5, 1.198, 4.598},
	} {
		if math.Abs(c.got.Value-c.value) > 1e-9 || math.Abs(c.got.Low-c.low) > 0.01 || math.Abs(c.got.High-c.top) > 0.025 {
			t.Errorf("%+v, want %v, %v to %v", c.got, c.value, c.low, c.top)
		}
	}
}
