package alerts

import (
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestHysteresis(t *testing.T) {
	base := Rule{Name: "fall", Actions: []string{"fall"}, Score: &Levels{Raise: .6, Clear: .3}}
	with := func(n, m int, cooldown time.Duration) Rule {
		r := base
		r.Clips, r.Cooldown = ClipsRule{n, m}, cooldown
		return r
	}
	for _, c := range []struct {
		name   string
		rule   Rule
		scores []float64
		want   []string
	}{
		{"one of one", base, []float64{.1, .6, .4, .3, .2, .7}, []string{"raised 1-1", "cleared 4", "raised 5-5"}},
		{"two of three", with(2, 3, 0), []float64{.9, .1, .9, .1, .1, .1, .1}, []string{"raised 0-2", "cleared 5"}},
		{"too far apart", with(2, 3, 0), []float64{.9, .1, .1, .9, .1, .1, .9}, nil},
		{"held up by one", with(2, 3, 0), []float64{.9, .9, .1, .1, .4, .1, .1, .1}, []string{"raised 0-1", "cleared 7"}},
		{"three of three", with(3, 3, 0), []float64{.9, .9, .1, .9, .9, .9}, []string{"raised 3-5"}},
		{"cooldown", with(1, 1, 6*time.Second), []float64{.9, .1, .9, .9, .9, .9}, []string{"raised 0-0", "cleared 1", "raised 4-4"}},
		{"never twice", base, []float64{.9, .9, .9, .9}, []string{"raised 0-0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := play(newEngine(t, c.rule), t0, 0, c.scores...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAlertSaysWhatItIsAbout(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 2}, Severity: "critical"}
	e := newEngine(t, rule)
	_, got := play(e, t0, 0, .8, .9, 0, 0)
	if len(got) != 2 {
		t.Fatalf("%d alerts", len(got))
	}
	first, second := clipAt(t0, 0), clipAt(t0, 1)
	raised, cleared := got[0], got[1]
	if raised.ID != "fall/"+first.ClipID || raised.OnsetClip != first.ClipID || !raised.Onset.Equal(first.Start) ||
		raised.Clip != second.ClipID || !raised.At.Equal(second.End) || raised.Score != .9 || raised.Severity != "critical" {
		t.Errorf("raised %+v", raised)
	}
	if cleared.ID != raised.ID || cleared.Reason != "the contrast fell" || !cleared.Onset.Equal(first.Start) {
		t.Errorf("cleared %+v", cleared)
	}
}

// An alert says where in the picture its label was seen: the box of the clip that decided.
func TestAnAlertSaysWhereItWasSeen(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 2}})
	seen := func(i int, score float64, view int, left float64) topics.Recognition {
		l := fall(score)
		l.View = view
		rec := clipAt(t0, i, l)
		rec.Views = []topics.SeenView{
			{View: topics.ViewCentre, Box: topics.Box{Left: .2, Width: .5, Height: 1}},
			{View: topics.ViewZoom, Box: topics.Box{Left: left, Width: .25, Height: .5}},
		}
		return rec
	}
	e.Evaluate(seen(0, .9, 1, .6))
	got := e.Evaluate(seen(1, .9, 1, .7))
	if len(got) != 1 || got[0].View != topics.ViewZoom || got[0].Box == nil || got[0].Box.Left != .7 {
		t.Fatalf("raised %+v", got)
	}
	e.Evaluate(clipAt(t0, 2))
	if got := e.Evaluate(clipAt(t0, 3)); len(got) != 1 || got[0].View != "" || got[0].Box != nil {
		t.Errorf("cleared by clips without the label: %+v", got)
	}
	if _, got := play(e, t0, 4, .9, .9); len(got) != 1 || got[0].View != "" || got[0].Box != nil {
		t.Errorf("raised by clips without views: %+v", got)
	}
}

func TestEachLabelHasItsOwnThreshold(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Tags: []string{"danger"}})
	label := func(name string, score, threshold float64) topics.LabelScore {
		return topics.LabelScore{Label: name, Score: score, Contrast: score, Threshold: threshold, Tags: []string{"danger"}}
	}
	got := e.Evaluate(clipAt(t0, 0, label("a", .45, .9), label("b", .40, .3)))
	if len(got) != 1 || got[0].Label != "b" || got[0].Score != .40 {
		t.Fatalf("b reached its own threshold: %+v", got)
	}
	if got := e.Evaluate(clipAt(t0, 1, label("a", .55, .9), label("b", .25, .3))); len(got) != 0 {
		t.Errorf("b is above its clear score: %+v", got)
	}
	if got := e.Evaluate(clipAt(t0, 2, label("a", .55, .9), label("b", .15, .3))); len(got) != 1 || got[0].Label != "a" {
		t.Errorf("neither sustains: %+v", got)
	}
}

func TestScheduledRules(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Schedule: &Schedule{From: "12:01"}})
	if got, _ := play(e, t0, 0, .9, .9); len(got) != 0 {
		t.Errorf("raised out of hours: %q", got)
	}
	if got, _ := play(e, t0, 28, .9); !slices.Equal(got, []string{"raised 28-28"}) {
		t.Errorf("in its hours: %q", got)
	}
}

func TestRulesReplaced(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}}
	elsewhere, stricter, renamed := rule, rule, rule
	elsewhere.Cameras, stricter.Score, renamed.Name = []string{"attic"}, &Levels{Raise: .95, Clear: .3}, "falls"
	for _, c := range []struct {
		name  string
		rules []Rule
		clear string
	}{
		{"removed", nil, "the rule was removed"},
		{"renamed", []Rule{renamed}, "the rule was removed"},
		{"elsewhere", []Rule{elsewhere}, "the rule no longer watches this camera"},
		{"kept", []Rule{stricter}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, rule)
			play(e, t0, 0, .9, .9)
			got := e.SetRules(ruleSet(t, c.rules...))
			if ends := c.clear != ""; (len(got) == 1) != ends || (len(e.Open()) == 0) != ends {
				t.Fatalf("got %+v", got)
			}
			if c.clear != "" && (got[0].Reason != c.clear || got[0].State != topics.AlertCleared) {
				t.Errorf("got %+v", got[0])
			}
		})
	}
	// What a rule has seen counts for the one that takes its name.
	pair, looser := rule, rule
	pair.Clips, looser.Clips = ClipsRule{3, 3}, ClipsRule{2, 4}
	e := newEngine(t, pair)
	play(e, t0, 0, .9, .1)
	e.SetRules(ruleSet(t, looser))
	if got, _ := play(e, t0, 2, .1, .9); !slices.Equal(got, []string{"raised 0-3"}) {
		t.Errorf("got %q", got)
	}
}

// Models are swapped while a camera is watched: what the one before saw counts
// on.
func TestModelsMayChange(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Score: &Levels{Raise: .6, Clear: .3}, Clips: ClipsRule{2, 3}})
	var states []topics.AlertState
	for i, score := range []float64{.9, .9, .9, .1, .1, .1} {
		rec := clipAt(t0, i, fall(score))
		rec.Model = []string{"old", "new", "newer"}[i%3]
		rec.Vocab.Version = "of " + rec.Model
		for _, a := range e.Evaluate(rec) {
			states = append(states, a.State)
			if a.Vocab.Version != "of "+a.Model {
				t.Errorf("%s by model %q with the vocabulary %q", a.State, a.Model, a.Vocab.Version)
			}
		}
	}
	if want := []topics.AlertState{topics.AlertRaised, topics.AlertCleared}; !slices.Equal(states, want) {
		t.Errorf("got %v, want %v", states, want)
	}
}
