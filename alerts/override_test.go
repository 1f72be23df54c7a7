package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// on is a clip of a camera with tags.
func on(camera string, tags []string, i int, score float64) topics.Recognition {
	rec := clipAt(t0, i, fall(score))
	rec.Camera, rec.Tags = camera, tags
	return rec
}

func TestOverrides(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Contrast: &Levels{Raise: .5}, Overrides: []Override{
		{Cameras: []string{"ward-*"}, Contrast: &Levels{Raise: .8}, Severity: "critical"},
		{Cameras: []string{"ward-1"}, CameraTags: []string{"never"}, Severity: "info"},
		{CameraTags: []string{"busy"}, Clips: ClipsRule{2, 2}},
		{CameraTags: []string{"plain"}, Score: &Levels{Raise: .9}},
	}}
	for _, c := range []struct {
		camera string
		tags   []string
		scores []float64
		want   string
	}{
		{"lobby", nil, []float64{.6}, "0 warning"},
		{"ward-1", nil, []float64{.6, .8}, "1 critical"},
		{"lobby", []string{"x", "busy"}, []float64{.6, .6}, "1 warning"},
		{"ward-1", []string{"busy", "never"}, []float64{.9}, "0 critical"}, // the first that matches
		{"attic", []string{"plain"}, []float64{.8, .9}, "1 warning"},
	} {
		e := newEngine(t, rule)
		got := ""
		for i, score := range c.scores {
			for _, a := range e.Evaluate(on(c.camera, c.tags, i, score)) {
				got += fmt.Sprint(i, " ", a.Severity)
				if plain := slices.Contains(c.tags, "plain"); (a.Measure == "score") != plain {
					t.Errorf("%s %v: by %s", c.camera, c.tags, a.Measure)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s %v: got %q, want %q", c.camera, c.tags, got, c.want)
		}
	}
}

// A threshold is for the rule as it is written, whatever overrides make of it.
func TestAnOverriddenRuleKeepsItsThreshold(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, FalseAlarms: Budget{Count: 1, Per: day}, Overrides: []Override{{Cameras: []string{"ward-*"}, Clips: ClipsRule{2, 2}}}}
	set := ruleSet(t, rule)
	e := NewEngine(set, time.Minute)
	for _, camera := range []string{"lobby", "ward-1"} {
		e.SetThreshold(camera, "fall", &topics.Threshold{Camera: camera, Rule: "fall", RuleHash: set.find("fall").Hash(), Raise: .3, Clear: .2})
		raised := 0
		for i := range 2 {
			raised += len(e.Evaluate(on(camera, nil, i, .4)))
		}
		if raised != 1 {
			t.Errorf("%s: %d alerts at its own threshold", camera, raised)
		}
	}
}

// A rule chooses cameras by their tags as their records have them: one that loses the
// tag is watched no more, one that gets it is.
func TestCamerasByTheirTags(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Cameras: []string{"ward-*"}, CameraTags: []string{"night", "quiet"}, Clips: ClipsRule{1, 2}})
	count := func(rec topics.Recognition) (states []topics.AlertState) {
		for _, a := range e.Evaluate(rec) {
			states = append(states, a.State)
		}
		return states
	}
	for i, c := range []struct {
		camera string
		tags   []string
		want   []topics.AlertState
	}{
		{"ward-1", nil, nil},
		{"lobby", []string{"night"}, nil},
		{"ward-1", []string{"day"}, nil},
		{"ward-1", []string{"day", "night"}, []topics.AlertState{topics.AlertRaised}},
		{"ward-1", []string{"quiet"}, nil}, // still open
		{"ward-1", []string{"day"}, []topics.AlertState{topics.AlertCleared}},
		{"ward-1", []string{"night"}, []topics.AlertState{topics.AlertRaised}},
	} {
		if got := count(on(c.camera, c.tags, i, .9)); !slices.Equal(got, c.want) {
			t.Errorf("clip %d, %s %v: %v, want %v", i, c.camera, c.tags, got, c.want)
		}
	}
}

// A worker that has seen no clip of a camera yet knows its tags from its alert.
func TestARestoredAlertIsOfATaggedCamera(t *testing.T) {
	set := ruleSet(t, Rule{Name: "fall", Actions: []string{"fall"}, CameraTags: []string{"night"}})
	raised := NewEngine(set, time.Minute).Evaluate(on("ward-1", []string{"night"}, 0, .9))[0]
	for name, warm := range map[string]func(e *Engine){
		"no clip":             func(*Engine) {},
		"a clip":              func(e *Engine) { e.Warm(on("ward-1", []string{"night"}, 0, .9)) },
		"an old clip without": func(e *Engine) { e.Warm(on("ward-1", nil, 0, .1)); e.Warm(on("ward-1", []string{"night"}, 1, .9)) },
	} {
		e := NewEngine(set, time.Minute)
		e.Restore(raised)
		warm(e)
		if got := e.SetRules(set); len(got) != 0 {
			t.Errorf("%s: cleared at once: %+v", name, got)
		}
		if got := e.Evaluate(on("ward-1", []string{"night"}, 2, .1)); len(got) != 1 || got[0].ID != raised.ID || got[0].State != topics.AlertCleared {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	e := NewEngine(set, time.Minute) // it lost the tag while nobody was here
	e.Restore(raised)
	e.Warm(on("ward-1", nil, 1, .9))
	if got := e.SetRules(set); len(got) != 1 || got[0].Reason != ruleElsewhere {
		t.Errorf("got %+v", got)
	}
}
