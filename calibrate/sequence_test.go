package calibrate

import (
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
