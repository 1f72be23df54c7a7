package calibrate

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What was learnt for a model before it serves is kept beside what serves, and stands in once
// it does, as long as it rests on more than its own past.
func TestWhatWasLearntForTheNextModel(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	of := func(model string, raise, days float64) topics.Threshold {
		return topics.Threshold{Camera: "a", Rule: "r", RuleHash: "1", Words: "w", References: "refs " + model, Model: model, Raise: raise, Days: days, At: now.Add(-time.Hour)}
	}
	before := of("a", .7, 9)
	next := of("b", .4, .2)
	before.Next = &next
	learning := of("b", .2, .1)
	learning.Learning = true
	bend := func(t topics.Threshold, how func(*topics.Threshold)) topics.Threshold { how(&t); return t }
	old := next
	old.At = now.Add(-lookBack - time.Hour)
	for name, c := range map[string]struct {
		found, before topics.Threshold
		raise         float64
		kept          bool
	}{
		"the first serves":           {of("a", .71, 9), before, .71, true},
		"nothing was learnt":         {of("a", .71, 9), of("a", .7, 9), .71, false},
		"the second, at first":       {learning, before, .4, true},
		"the second, with less":      {of("b", .5, .1), before, .4, true},
		"the second, with more":      {of("b", .5, .3), before, .5, false},
		"a third":                    {of("c", .5, .3), before, .5, true},
		"another rule":               {bend(learning, func(t *topics.Threshold) { t.RuleHash = "2" }), before, .2, false},
		"other words":                {bend(learning, func(t *topics.Threshold) { t.Words = "v" }), before, .2, false},
		"other references":           {bend(learning, func(t *topics.Threshold) { t.References = "others" }), before, .2, false},
		"learnt longer ago than all": {of("a", .71, 9), bend(before, func(t *topics.Threshold) { t.Next = &old }), .71, false},
	} {
		got := carry(c.found, c.before, now)
		if got.Raise != c.raise || (got.Next != nil) != c.kept || got.Learning && c.raise != .2 {
			t.Errorf("%s: %+v", name, got)
		}
		if c.kept && (got.Next.Raise != .4 || got.Next.Next != nil) {
			t.Errorf("%s: next %+v", name, got.Next)
		}
	}
}
