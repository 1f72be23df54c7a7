package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestBudgets(t *testing.T) {
	for text, want := range map[string]Budget{
		"1 per week":         {1, 7 * day, false},
		" 4 per day in all ": {4, day, true},
		"2 an hour":          {2, time.Hour, false},
		"12 per month":       {12, 30 * day, false},
	} {
		var got Budget
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		var again Budget
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != want {
			t.Errorf("%q is written as %q", text, got)
		}
	}
	for _, text := range []string{"", "1", "per week", "0 per day", "1 per year", "-1 per day", "1.5 per day", "1 per week in some", "9999999 per day"} {
		if err := new(Budget).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if rate := (Budget{14, 7 * day, true}).PerDay(4); rate != .5 {
		t.Errorf("14 per week on 4 cameras are %v a day on each", rate)
	}
}

func TestARuleComparesItsMeasure(t *testing.T) {
	label := topics.LabelScore{Label: "fall", Score: .2, Contrast: .9, Similarity: -.1}
	for _, c := range []struct {
		name  string
		bend  func(*Rule)
		value float64 // what the alert was raised at
	}{
		{"contrast", func(*Rule) {}, DefaultContrast},
		{"contrast", func(r *Rule) { r.Contrast = &Levels{Raise: .8} }, .8},
		{"", func(r *Rule) { r.Contrast = &Levels{Raise: .95} }, 0},
		{"", func(r *Rule) { r.Score = &Levels{} }, 0},
		{"score", func(r *Rule) { r.Score = &Levels{Raise: .1} }, .1},
		{"similarity", func(r *Rule) { r.Similarity = &Levels{Raise: -.2} }, -.2},
		{"", func(r *Rule) { r.Similarity = &Levels{Raise: .1} }, 0},
		{"contrast", func(r *Rule) { r.FalseAlarms = Budget{1, day, false} }, DefaultContrast},
	} {
		rule := Rule{Name: "fall", Actions: []string{"fall"}}
		c.bend(&rule)
		got := newEngine(t, rule).Evaluate(clipAt(t0, 0, label))
		switch {
		case c.name == "" && len(got) > 0 || c.name != "" && len(got) != 1:
			t.Errorf("%+v: %+v", rule, got)
		case c.name != "" && (got[0].Measure != c.name || got[0].Threshold != c.value || got[0].Contrast != .9):
			t.Errorf("%+v: %+v, want %s from %v", rule, got[0], c.name, c.value)
		}
	}
}

// The best label is that of the measure, not that of the score.
func TestTheBestLabelByContrast(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Tags: []string{"danger"}})
	got := e.Evaluate(clipAt(t0, 0,
		topics.LabelScore{Label: "a", Score: .6, Contrast: .6, Tags: []string{"danger"}},
		topics.LabelScore{Label: "b", Score: .3, Contrast: .9, Tags: []string{"danger"}},
		topics.LabelScore{Label: "c", Score: .1, Contrast: .95, Threshold: .97, Tags: []string{"danger"}}))
	if len(got) != 1 || got[0].Label != "b" {
		t.Errorf("got %+v", got)
	}
}

func TestAThresholdCountsForItsRuleAndCamera(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, FalseAlarms: Budget{1, 7 * day, false}}
	other := rule
	other.Clips = ClipsRule{2, 2}
	threshold := func(raise float64, of Rule) *topics.Threshold {
		return &topics.Threshold{Camera: "lobby", Rule: "fall", RuleHash: of.Hash(), Raise: raise, Clear: raise / 2}
	}
	severe := rule
	severe.Severity = "critical"
	for name, c := range map[string]struct {
		set  func(*Engine)
		want bool // .6 raises
	}{
		"none is known":       {func(*Engine) {}, true},
		"its own":             {func(e *Engine) { e.SetThreshold("lobby", "fall", threshold(.7, rule)) }, false},
		"of another camera":   {func(e *Engine) { e.SetThreshold("attic", "fall", threshold(.7, rule)) }, true},
		"of an earlier rule":  {func(e *Engine) { e.SetThreshold("lobby", "fall", threshold(.7, other)) }, true},
		"of another severity": {func(e *Engine) { e.SetThreshold("lobby", "fall", threshold(.7, severe)) }, false},
		"taken away": {func(e *Engine) {
			e.SetThreshold("lobby", "fall", threshold(.7, rule))
			e.SetThreshold("lobby", "fall", nil)
		}, true},
		"after the first clip": {func(e *Engine) {
			play(e, t0, 0, .1)
			e.SetThreshold("lobby", "fall", threshold(.7, rule))
		}, false},
		"kept when rules are replaced": {func(e *Engine) {
			e.SetThreshold("lobby", "fall", threshold(.7, rule))
			play(e, t0, 0, .1)
			e.SetRules(ruleSet(t, rule))
		}, false},
	} {
		e := newEngine(t, rule)
		c.set(e)
		if got, _ := play(e, t0, 1, .6); (len(got) > 0) != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What was found for a model that is to come counts from its first clip on, and no longer
// once another one recognises the camera.
func TestAThresholdForTheNextModel(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, FalseAlarms: Budget{1, 7 * day, false}}
	other := rule
	other.Clips = ClipsRule{2, 2}
	for name, c := range map[string]struct {
		next *topics.Threshold
		want []bool // whether .6 of the models a, b and a again raises
	}{
		"none":          {nil, []bool{false, false, false}},
		"of b":          {&topics.Threshold{Model: "b", RuleHash: rule.Hash(), Raise: .5, Clear: .4}, []bool{false, true, false}},
		"of c":          {&topics.Threshold{Model: "c", RuleHash: rule.Hash(), Raise: .5, Clear: .4}, []bool{false, false, false}},
		"of other text": {&topics.Threshold{Model: "b", RuleHash: other.Hash(), Raise: .99, Clear: .98}, []bool{false, true, false}},
	} {
		e := newEngine(t, rule)
		e.SetThreshold("lobby", "fall", &topics.Threshold{Camera: "lobby", Rule: "fall", RuleHash: rule.Hash(), Model: "a", Raise: .7, Clear: .5, Next: c.next})
		for i, model := range []string{"a", "b", "a"} {
			rec := clipAt(t0, 1000*i, topics.LabelScore{Label: "fall", Contrast: .6})
			rec.Model = model
			raised := false
			for _, a := range e.Evaluate(rec) {
				raised = raised || a.State == topics.AlertRaised
			}
			if raised != c.want[i] {
				t.Errorf("%s: clip %d of model %s: raised %v", name, i, model, raised)
			}
			low := clipAt(t0, 1000*i+100, topics.LabelScore{Label: "fall", Contrast: .01})
			low.Model = model
			e.Evaluate(low)
		}
	}
}
