//go:build !race

package calibrate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The test of this file has one goroutine and computes for long: `make unit` runs it
// without the race detector.

// A budget that is extrapolated to, and one that is counted, are kept in days that the
// threshold was not found from.
func TestBudgetsAreKept(t *testing.T) {
	for _, days := range []float64{4, 10} {
		var all float64
		for _, p := range processes() {
			share, mean := kept(t, p, days, 25)
			t.Logf("%s, %v days: on %.0f%% of the cameras, %.1f on average", p.name, days, 100*share, mean)
			all += share / 3
			if share < 0.8 || mean < 6 || mean > 11 {
				t.Errorf("%s, %v days: on %.0f%% of the cameras, %.1f on average", p.name, days, 100*share, mean)
			}
		}
		if all < 0.9 {
			t.Errorf("with %v days of past the budget is kept on %.0f%% of the cameras", days, 100*all)
		}
	}
}

// kept is on which share of simulated cameras two fresh days have from half to twice
// the eight false alarms that the budget allows there, where the threshold rests on a
// past of some days.
func kept(t *testing.T, p process, days float64, cameras int) (share, mean float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(100*days), uint64(len(p.name))))
	good, sum := 0, 0
	for range cameras {
		perHour := 6 + 10*random.Float64()
		at := placeOf(t, p.record(random, time.Duration(days*24)*time.Hour, perHour))
		l, ok := at.own(4)
		if !ok {
			t.Fatalf("%s: no threshold from %v days", p.name, days)
		}
		fresh := p.record(random, 48*time.Hour, perHour)
		near := fresh.around(fresh.highest(), float32(l.clear), 3, 0, false)
		n := len(at.trial.run(near, l.raise, l.clear))
		if n >= 4 && n <= 16 {
			good++
		}
		sum += n
	}
	return float64(good) / float64(cameras), float64(sum) / float64(cameras)
}
