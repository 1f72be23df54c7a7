package alerts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// anyRule is a rule of any kind, with any of what rules may have.
func anyRule(r *rand.Rand, name string, others []string) Rule {
	m := 1 + r.IntN(3)
	rule := Rule{Name: name, Clips: ClipsRule{1 + r.IntN(m), m}, Contrast: &Levels{Raise: .5}}
	a := []string{"a", "b", "c"}
	r.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
	length := time.Duration(1+r.IntN(10)) * 2 * time.Second
	switch r.IntN(5) {
	case 0:
		rule.Actions = a[:1+r.IntN(2)]
	case 1:
		rule.Tags = []string{"danger"}
	case 2, 3:
		rule.Actions, rule.Then = a[:1], &Then{a[1 : 2+r.IntN(2)], length}
	default:
		rule.Absent = &Absent{a[:1], length}
	}
	maybe := func(what func()) {
		if r.IntN(4) == 0 {
			what()
		}
	}
	if rule.Absent == nil {
		maybe(func() { rule.Cooldown = time.Duration(r.IntN(20)) * time.Second })
		maybe(func() { rule.SeverityFrom = &SeverityFrom{.6, .9} })
	}
	maybe(func() { rule.Quiet = &Schedule{From: "12:01", To: "12:02"} })
	maybe(func() { rule.Schedule = &Schedule{From: "12:00", To: "12:03"} })
	maybe(func() { rule.Cameras = []string{"lobby", "ward-*"} })
	maybe(func() { rule.CameraTags = []string{"x", "z"} })
	maybe(func() { rule.Escalate = &Escalate{After: length} })
	maybe(func() { rule.InhibitedBy = slices.Clone(others) })
	maybe(func() {
		rule.Overrides = []Override{{Cameras: []string{"ward-*"}, Contrast: &Levels{Raise: .7}, Clips: ClipsRule{1, 2}}, {CameraTags: []string{"y"}, Severity: "info"}}
	})
	return rule
}

func anyRules(t *testing.T, r *rand.Rand) *RuleSet {
	t.Helper()
	var rules []Rule
	var names []string
	for i := range 2 + r.IntN(4) {
		names = append(names, fmt.Sprint("r", i))
		rules = append(rules, anyRule(r, names[i], names[:i]))
	}
	r.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	return ruleSet(t, rules...)
}

// anyStream is what three cameras send: labels that come and go, new epochs, lost
// clips, other tags, and clips that are sent again after a short while.
func anyStream(r *rand.Rand, again bool) (out []topics.Recognition) {
	type camera struct {
		name  string
		epoch time.Time
		next  int
		tags  []string
		shows map[string]bool
		sent  []topics.Recognition
	}
	var cameras []*camera
	for i, name := range []string{"lobby", "attic", "ward-1"} {
		cameras = append(cameras, &camera{name: name, epoch: t0.Add(time.Duration(i) * time.Second), tags: []string{"x"}, shows: map[string]bool{}})
	}
	for range 200 {
		c := cameras[r.IntN(len(cameras))]
		switch r.IntN(30) {
		case 0: // the stream is opened anew
			c.epoch, c.next = c.epoch.Add(time.Duration(2*c.next+10)*time.Second), 0
		case 1: // sent again
			if n := len(c.sent); n > 0 && again {
				out = append(out, c.sent[n-1-r.IntN(min(n, 5))])
			}
			continue
		case 2: // lost
			c.next += 1 + r.IntN(2)
		case 3:
			c.tags = [][]string{{"x"}, {"y"}, {"x", "y"}, nil}[r.IntN(4)]
		case 4, 5, 6, 7, 8, 9, 10, 11, 12:
			label := []string{"a", "b", "c"}[r.IntN(3)]
			c.shows[label] = !c.shows[label]
		}
		var labels []topics.LabelScore
		for _, name := range []string{"a", "b", "c"} {
			value := .3 * r.Float64()
			if c.shows[name] {
				value = .5 + .5*r.Float64()
			}
			if r.IntN(10) > 0 { // else it is not listed
				labels = append(labels, topics.LabelScore{Label: name, Score: value, Tags: [][]string{{"danger"}, nil}[r.IntN(2)]})
			}
		}
		rec := clipAt(c.epoch, c.next, labels...)
		rec.Camera, rec.ClipID, rec.Tags = c.name, c.name+rec.ClipID, c.tags
		c.sent, c.next = append(c.sent, rec), c.next+1
		out = append(out, rec)
	}
	return out
}

// told is all that a subscriber reads of an alert.
func told(a topics.Alert) string {
	return fmt.Sprint(a.EventID(), a.Camera, a.Severity, a.Label, a.Contrast, a.Onset, a.At, a.Clip, a.Reason)
}

// takeOver is the engine of a worker that starts after the clips before the committed
// one, knowing what was published. It looks back no further than the rules' memories
// ask for, after a first look at so many clips.
func takeOver(t *testing.T, rules *RuleSet, published []topics.Alert, before []topics.Recognition, first int) *Engine {
	t.Helper()
	e := NewEngine(rules, time.Minute)
	for _, a := range published {
		e.Restore(a)
	}
	if left := e.Restored(); len(left) > 0 {
		t.Fatalf("left open: %+v", left)
	}
	settled := map[string]bool{}
	for n, enough := first, false; !enough; n *= 2 {
		seen := map[string]bool{}
		for _, rec := range before[max(0, len(before)-n):] {
			if settled[rec.Camera] {
				continue
			}
			if !seen[rec.Camera] {
				seen[rec.Camera] = true
				e.forgetClips(rec.Camera)
			}
			e.Warm(rec)
		}
		for name := range seen {
			settled[name] = e.complete(name, 0)
		}
		enough = n >= len(before)
	}
	if cleared := e.SetRules(rules); len(cleared) > 0 {
		t.Fatalf("cleared at the start: %+v", cleared)
	}
	return e
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("of %d and %d alerts number %d differs:\ngot  %s\nwant %s", len(got), len(want), i,
				append(got, "none")[min(i, len(got))], append(want, "none")[min(i, len(want))])
		}
	}
	return "none"
}

func alertsByCamera(e *Engine, stream []topics.Recognition) map[string][]string {
	out := map[string][]string{}
	for _, rec := range stream {
		for _, a := range e.Evaluate(rec) {
			out[rec.Camera] = append(out[rec.Camera], told(a))
		}
	}
	return out
}
