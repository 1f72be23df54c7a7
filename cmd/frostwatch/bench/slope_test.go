package bench

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What grows is found, what doesn't is proved, and what can't be told is said to be so.
func TestSlope(t *testing.T) {
	const every = 5.
	for name, c := range map[string]struct {
		minutes float64
		value   func(hours float64, r *rand.Rand) float64
		most    float64
		want    string
	}{
		"constant":                         {5, func(float64, *rand.Rand) float64 { return 40 }, 5, flat},
		"noise":                            {60, func(_ float64, r *rand.Rand) float64 { return 200 + 4*r.NormFloat64() }, 10, flat},
		"a goroutine each ten seconds":     {5, func(h float64, r *rand.Rand) float64 { return 60 + math.Floor(360*h) + 2*r.NormFloat64() }, 5, grows},
		"a tenth an hour":                  {60, func(h float64, r *rand.Rand) float64 { return 200 + 20*h + 4*r.NormFloat64() }, 10, grows},
		"garbage, collected each minute":   {60, func(h float64, _ *rand.Rand) float64 { return 200 + 20*math.Mod(60*h, 1) }, 10, flat},
		"more noise than five minutes can": {5, func(_ float64, r *rand.Rand) float64 { return 200 + 20*r.NormFloat64() }, 10, undecided},
		"it shrinks":                       {60, func(h float64, r *rand.Rand) float64 { return 200 - 20*h + r.NormFloat64() }, 10, flat},
		"three values":                     {.2, func(float64, *rand.Rand) float64 { return 1 }, 5, undecided},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var x, y []float64
			for s := 0.; s < c.minutes*60; s += every {
				x, y = append(x, s), append(y, c.value(s/3600, r))
			}
			if got := slopeOf(x, y, c.most); got.Verdict != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			} else if got.Mean < 1 {
				t.Errorf("the mean is %v: want that of the values", got.Mean)
			}
		})
	}
}

// In so many tries the true slope is within the interval as often as is stated.
func TestSlopeConfidence(t *testing.T) {
	const tries, perHour = 2000, 30.
	r := rand.New(rand.NewPCG(3, 4))
	within := 0
	for range tries {
		var x, y []float64
		for s := 0.; s < 600; s += 5 {
			x, y = append(x, s), append(y, 100+perHour*s/3600+5*r.NormFloat64())
		}
		if got := slopeOf(x, y, 0); math.Abs(got.PerHour-perHour) <= got.Within {
			within++
		}
	}
	if share := float64(within) / tries; math.Abs(share-slopeConfidence) > .02 {
		t.Errorf("within the interval in %.3f of the tries, want %v", share, slopeConfidence)
	}
}
