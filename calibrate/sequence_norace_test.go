//go:build !race

package calibrate

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
)

// A sequence raises on no clip above the bound of its levels, and clips that come
// nowhere near change nothing.
func TestLevelsOfASequence(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 9))
		rule := alerts.Rule{Name: "r", Actions: []string{"a"}, Then: &alerts.Then{Actions: []string{"b"}, Within: time.Duration(20+random.IntN(100)) * time.Second}}
		rule.FalseAlarms = alerts.Budget{Count: 4, Per: 24 * time.Hour}
		rule.Clips = []alerts.ClipsRule{{N: 1, M: 1}, {N: 2, M: 3}, {N: 2, M: 4}}[random.IntN(3)]
		trial, err := newTrial("cam", rule)
		if err != nil {
			t.Fatal(err)
		}
		past := newSeries(2)
		often := random.Float64() / 2
		for i := range 4000 {
			start := t0.Add(time.Duration(i) * simStride)
			past.add(t0, start, start.Add(simWindow), func(column int) float32 {
				if column == 0 && random.Float64() < often {
					return float32(2 + random.NormFloat64())
				}
				return float32(-3 + 1.5*random.NormFloat64())
			})
		}
		h := newHeights(trial, past, 60)
		values := trial.values(past)
		if h.most() < 20 {
			t.Errorf("seed %d: %d alerts at most", seed, h.most())
		}
		for _, level := range h.levels {
			all := trial.run(past, level, level)
			if few := trial.run(h.near, level, level); len(few) != len(all) {
				t.Errorf("seed %d, %v: %d alerts on the whole past, %d on the clips that matter", seed, rule.Clips, len(all), len(few))
			}
			for _, e := range all {
				if float64(values[e.raised]) < level {
					t.Errorf("seed %d, %v: raises at %v with a clip that can't reach %v", seed, rule.Clips, level, values[e.raised])
				}
			}
		}
	}
}
