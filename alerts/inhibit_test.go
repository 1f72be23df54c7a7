package alerts

import (
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

func TestInhibition(t *testing.T) {
	fire := Rule{Name: "fire", Actions: []string{"a"}}
	running := Rule{Name: "running", Actions: []string{"b"}, InhibitedBy: []string{"fire", "gone"}}
	for _, c := range []struct {
		name, script string
		rules        []Rule
		want         []string
	}{
		{"while it is open", "aa*b.", []Rule{fire, running}, []string{"0 raised a", "3 cleared", "3 raised b", "4 cleared"}},
		{"in the same clip", "*", []Rule{fire, running}, []string{"0 raised a"}},
		{"in the same clip, the other order in the file", "*", []Rule{running, fire}, []string{"0 raised a"}},
		{"one that is open goes on", "b**b.", []Rule{running, fire}, []string{"0 raised b", "1 raised a", "3 cleared", "4 cleared"}},
		{"not the other way round", "b*", []Rule{fire, running}, []string{"0 raised b", "1 raised a"}},
		{"no such rule", "*", []Rule{running}, []string{"0 raised b"}},
	} {
		if got := script(t, newEngine(t, c.rules...), c.script); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	e := newEngine(t, fire, running) // on its own camera alone
	elsewhere := clipAt(t0, 0, topics.LabelScore{Label: "b", Score: .9})
	elsewhere.Camera = "attic"
	e.Evaluate(clipAt(t0, 0, topics.LabelScore{Label: "a", Score: .9}))
	if got := e.Evaluate(elsewhere); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
	var traced []string
	e.SetTrace(func(t Trace) { traced = append(traced, t.Rule+": "+t.Why) })
	script(t, e, "..*")
	if text := strings.Join(traced, "\n"); !strings.Contains(text, "running: it would raise, but is inhibited by rule fire, which has an alert open") {
		t.Errorf("traced:\n%s", text)
	}
}

// A worker that evaluates a clip again does not know whether an inhibiting alert was
// open then that has been cleared since; what followed is published.
func TestInhibitionIsNotDecidedAgain(t *testing.T) {
	rules := []Rule{{Name: "fire", Actions: []string{"a"}}, {Name: "running", Actions: []string{"b"}, InhibitedBy: []string{"fire"}}}
	label := func(name string) []topics.LabelScore {
		return []topics.LabelScore{{Label: name, Score: .9}}
	}
	first := newEngine(t, rules...)
	raised := first.Evaluate(clipAt(t0, 0, label("a")...))
	inhibited := clipAt(t0, 1, append(label("a"), label("b")...)...)
	cleared := first.Evaluate(clipAt(t0, 2))
	again := newEngine(t, rules...)
	for _, a := range slices.Concat(raised, cleared) {
		again.Restore(a)
	}
	if got := again.Evaluate(inhibited); len(got) != 0 {
		t.Errorf("raised after all: %+v", got)
	}
	again.Evaluate(clipAt(t0, 2))
	if got := again.Evaluate(clipAt(t0, 3, label("b")...)); len(got) != 1 {
		t.Errorf("not raised afterwards: %+v", got)
	}
}

func TestRulesWithoutEffectOnOthers(t *testing.T) {
	cameras := map[string][]string{"lobby": {"indoor"}, "ward-1": nil, "ward-2": {"night"}}
	fire := Rule{Name: "fire", Novel: true, Cameras: []string{"lobby"}}
	for _, c := range []struct {
		name string
		rule Rule
		want string
	}{
		{"inhibited", Rule{InhibitedBy: []string{"fire"}}, ""},
		{"inhibited by no rule", Rule{InhibitedBy: []string{"fier"}}, `there is no rule "fier" to inhibit it`},
		{"inhibited elsewhere", Rule{InhibitedBy: []string{"fire"}, Cameras: []string{"ward-*"}}, `rule "fire", which is to inhibit it, watches none of its cameras`},
		{"tag", Rule{CameraTags: []string{"indoor"}}, ""},
		{"tag of no camera", Rule{CameraTags: []string{"indoor", "outdoor"}}, `no camera has the tag "outdoor"`},
		{"tag of another camera", Rule{CameraTags: []string{"indoor"}, Cameras: []string{"ward-*"}}, "no camera both matches cameras and has one of camera_tags"},
		{"override", Rule{Overrides: []Override{{Cameras: []string{"lobby"}, Severity: "info"}}}, ""},
		{"override of no camera", Rule{Overrides: []Override{{Cameras: []string{"attic"}, Severity: "info"}}}, "overrides[0] is in force on no camera"},
		{"override of another rule's camera", Rule{Cameras: []string{"ward-*"}, Overrides: []Override{{Cameras: []string{"lobby"}, Severity: "info"}}}, "overrides[0] is in force on no camera"},
		{"override behind another", Rule{Overrides: []Override{{Cameras: []string{"ward-*"}, Severity: "info"}, {CameraTags: []string{"night"}, Severity: "critical"}}},
			"overrides[1] is in force on no camera"},
	} {
		c.rule.Name, c.rule.Actions = "r", []string{"x"}
		got := ""
		if err := ruleSet(t, fire, c.rule).WithoutEffect(Surroundings{Cameras: cameras})["r"]; err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
