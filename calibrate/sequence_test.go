package calibrate

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// The budget of a sequence is kept by the sequence, not by either of its labels,
// however often the camera shows the first.
func TestThresholdsOfASequence(t *testing.T) {
	refs := someReferences(t)
	for name, stands := range map[string]func(i int) bool{
		"seldom": func(i int) bool { return i%20 == 0 }, "mostly": func(i int) bool { return i%10 != 5 },
	} {
		past := &recorded{}
		for i := range 3600 {
			shown := looksLike("nobody", 1, i, refs)
			switch {
			case i%40 == 5:
				shown = looksLike("leaves a bag", .2+1.5*float64(i%7)/7, i, refs)
			case stands(i):
				shown = looksLike("stands about", .1, i, refs)
			}
			past.add(1, "hall", i, shown)
		}
		o := dialOptions(t, past, "20 per hour", "hall")
		rule := bagRule("20 per hour")
		rule.Actions, rule.Then = []string{"stands about"}, &alerts.Then{Actions: []string{"leaves a bag"}, Within: 30 * time.Second}
		o.Wanted["hall"] = []alerts.Budgeted{budgeted(rule)}
		o.Words("").Labels = named("leaves a bag", "stands about")
		got, err := Thresholds(t.Context(), o)
		if err != nil || len(got) != 1 || got[0].Learning || got[0].Tail != "counted" {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		alone := rule.Alone()
		alone.FalseAlarms, alone.Contrast = alerts.Budget{}, &alerts.Levels{Raise: got[0].Raise, Clear: got[0].Clear}
		replayed, err := Replay(t.Context(), ReplayOptions{Past: past, Rules: ruleSet(t, alone), Words: words(t, past, refs, "leaves a bag", "stands about")})
		if err != nil {
			t.Fatal(err)
		}
		raised := 0
		for _, a := range replayed.Alerts {
			if a.State == topics.AlertRaised {
				raised++
			}
		}
		t.Logf("%s: %d at %v", name, raised, got[0].Raise)
		if raised < 36 || raised > 40 {
			t.Errorf("shown %s: %d alerts in two hours at %v, want 40 or hardly fewer", name, raised, got[0].Raise)
		}
	}
}

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
