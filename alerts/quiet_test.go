package alerts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// anyLevels gives rules measures, budgets and selections that anyRule does not.
func anyLevels(r *rand.Rand, set *RuleSet) (rules []Rule) {
	for _, rule := range set.Rules() {
		switch r.IntN(7) {
		case 0:
			rule.Contrast, rule.Overrides = nil, nil
			rule.FalseAlarms = Budget{1, 24 * time.Hour, false}
		case 1:
			rule.Contrast, rule.SeverityFrom, rule.Overrides = nil, nil, nil
			rule.Similarity = &Levels{Raise: .3, Clear: -.1}
		case 2:
			rule.Contrast = nil // the label's own threshold, or the default
		case 3:
			rule.Contrast = nil
			rule.Score = &Levels{Raise: .6, Clear: .55}
		case 4:
			if len(rule.Actions) > 0 && rule.Then == nil {
				rule.Actions, rule.Novel = nil, true
			}
		case 5:
			if rule.Absent == nil {
				rule.Count, rule.Overrides, rule.Escalate, rule.SeverityFrom = &Count{2, time.Minute}, nil, nil, nil
				rule.InhibitedBy = nil
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// A window that becomes longer by an edit holds no clip again that it had dropped.
func TestALongerWindowHoldsNoOlderClips(t *testing.T) {
	rule := func(m int) Rule {
		return Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, m}, Contrast: &Levels{Raise: .5}}
	}
	e := newEngine(t, rule(2))
	play(e, t0, 0, .9, .1, .1)
	e.SetRules(ruleSet(t, rule(4)))
	if events, _ := play(e, t0, 3, .9); len(events) > 0 {
		t.Errorf("got %v: the first clip was no longer among the last two", events)
	}
	if events, _ := play(e, t0, 4, .1, .9); !slices.Equal(events, []string{"raised 3-5"}) {
		t.Errorf("got %v", events)
	}
}

// More labels than are told apart, and names that are forgotten, change nothing either.
func TestManyLabelsRaiseTheSame(t *testing.T) {
	e := newEngine(t, Rule{Name: "any", Novel: true, Contrast: &Levels{Raise: .5}})
	raised := 0
	for i := range 3 * maxNames {
		value := .1
		if i%100 < 2 { // two clips each 200 s
			value = .9
		}
		label := topics.LabelScore{Label: fmt.Sprint("label ", i), Novel: true, Contrast: value, Score: value}
		for _, a := range e.Evaluate(clipAt(t0, i, label)) {
			if a.State == topics.AlertRaised {
				raised++
			}
		}
	}
	if want := (3*maxNames + 99) / 100; raised != want {
		t.Errorf("raised %d alerts, want %d", raised, want)
	}
}
