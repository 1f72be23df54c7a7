package alerts_test

import (
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// What people see of a rule is what it goes by: its own level, that of the label, or the
// one that keeps its budget on the camera; and of several rules the one that is nearest.
func TestNearestRule(t *testing.T) {
	budget := alerts.Budget{}
	if err := budget.UnmarshalText([]byte("1 per week")); err != nil {
		t.Fatal(err)
	}
	budgeted := alerts.Rule{Name: "kept", Actions: []string{"falling"}, FalseAlarms: budget}
	rules, err := alerts.NewRuleSet(
		alerts.Rule{Name: "far", Actions: []string{"falling"}, Contrast: &alerts.Levels{Raise: 0.9}, Cameras: []string{"ward-*"}},
		alerts.Rule{Name: "near", Actions: []string{"falling"}, Score: &alerts.Levels{Raise: 0.6}, Cameras: []string{"ward-*"}},
		alerts.Rule{Name: "left", Absent: &alerts.Absent{Actions: []string{"nurse"}, For: 3600e9}},
		alerts.Rule{Name: "elsewhere", Actions: []string{"nurse"}, Cameras: []string{"yard"}},
		budgeted,
	)
	if err != nil {
		t.Fatal(err)
	}
	hash := ""
	for _, b := range rules.Budgeted("lobby", nil) {
		hash = b.Rule.Hash()
	}
	kept := map[string]topics.Threshold{topics.RuleKey("lobby", "kept"): {Camera: "lobby", Rule: "kept", RuleHash: hash, Raise: 0.35}}
	for _, tt := range []struct {
		camera, label string
		threshold     float64
		want          alerts.Nearness
		none          bool
	}{
		{camera: "ward-1", label: "falling", want: alerts.Nearness{Rule: "kept", Measure: alerts.ByContrast, Value: 0.3, Raise: alerts.DefaultContrast}},
		{camera: "lobby", label: "falling", want: alerts.Nearness{Rule: "kept", Measure: alerts.ByContrast, Value: 0.3, Raise: 0.35}},
		{camera: "lobby", label: "nurse", none: true},
		{camera: "yard", label: "nurse", threshold: 0.4, want: alerts.Nearness{Rule: "elsewhere", Measure: alerts.ByContrast, Value: 0.3, Raise: 0.4}},
	} {
		got, ok := rules.Nearest(tt.camera, nil, kept).Of(&topics.LabelScore{Label: tt.label, Contrast: 0.3, Score: 0.5, Threshold: tt.threshold})
		if ok == tt.none || got != tt.want {
			t.Errorf("%s on %s: %+v (%v), want %+v", tt.label, tt.camera, got, ok, tt.want)
		}
	}
}

// A label that several rules watch counts for each of them from its own value on.
func TestAllRulesOfALabel(t *testing.T) {
	rules, err := alerts.NewRuleSet(
		alerts.Rule{Name: "far", Actions: []string{"falling"}, Contrast: &alerts.Levels{Raise: 0.9}},
		alerts.Rule{Name: "score", Actions: []string{"falling"}, Score: &alerts.Levels{Raise: 0.6}},
		alerts.Rule{Name: "other", Actions: []string{"nurse"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	all := rules.Nearest("lobby", nil, nil).All(&topics.LabelScore{Label: "falling", Contrast: 0.3, Score: 0.5})
	want := []alerts.Nearness{{Rule: "far", Measure: alerts.ByContrast, Value: 0.3, Raise: 0.9}, {Rule: "score", Measure: alerts.ByScore, Value: 0.5, Raise: 0.6}}
	if !slices.Equal(all, want) {
		t.Errorf("%+v, want %+v", all, want)
	}
}
