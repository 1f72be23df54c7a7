package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

func noEnv(string) (string, bool) { return "", false }

func compileText(text string) (*RuleSet, error) {
	c, err := config.Parse("f.yaml", []byte(text), noEnv)
	if err != nil {
		return nil, err
	}
	return Compile(c.Rules)
}

func TestMistakesInRulesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"wrong unit", "rules:\n  - name: a\n    novel: true\n    cooldown: 2 min\n", `f.yaml:4: rules[0].cooldown: "2 min": want a number with a unit`},
		{"clips", "rules:\n  - name: a\n    novel: true\n    clips: two\n", `f.yaml:4: rules[0].clips: clips "two": want N of M`},
		{"no clips", "rules:\n  - name: a\n    novel: true\n    clips: 0 of 2\n", `f.yaml:4: rules[0].clips: clips: 0 of 2: want N of M with 1`},
		{"bad rule", "rules:\n  - name: fall\n    clips: 5 of 2\n    actions: [x]\n", "f.yaml:3: rules[0]: rule \"fall\": clips: 5 of 2"},
		{"two of a rule", "rules:\n  - name: fall\n    clips: 5 of 2\n", "f.yaml:2: rules[0]: rule \"fall\": want exactly one of actions, tags, novel: true, absent and stream\nf.yaml:3: rules[0]: rule \"fall\": clips: 5 of 2"},
		{"score", "rules:\n  - name: fall\n    actions: [x]\n    score:\n      raise: 70\n", "f.yaml:4: rules[0]: rule \"fall\": score: raise 70: want 0 to 1"},
		{"unknown key", "rules:\n  - name: fall\n    action: [x]\n", "f.yaml:3: rules[0].action: unknown key: want one of name, cameras, camera_tags, actions"},
		{"unknown key of a schedule", "rules:\n  - name: fall\n    schedule: {day: mon}\n", "f.yaml:3: rules[0].schedule.day: unknown key: want one of days, from, to, timezone"},
		{"text for a number", "rules:\n  - name: fall\n    score: {raise: high}\n", `f.yaml:3: rules[0].score.raise: "high": want a number`},
		{"twice", "rules:\n  - {name: a, novel: true}\n  - {name: a, novel: true}\n", `f.yaml:3: rules[1]: the name "a" is used twice`},
		{"no list", "rules: {name: a}\n", "f.yaml:1: rules: keys: want a list"},
		{"override", "rules:\n  - name: a\n    novel: true\n    overrides:\n      - {cameras: [x], severity: info}\n      - {cameras: [y],\n         clips: 3 of 2}\n", `f.yaml:6: rules[0]: rule "a": overrides[1]: clips: 3 of 2: want N of M`},
		{"key of an override", "rules:\n  - name: a\n    novel: true\n    overrides: [{camera: x}]\n", "f.yaml:4: rules[0].overrides[0].camera: unknown key: want one of cameras, camera_tags, contrast"},
		{"sequence", "rules:\n  - name: a\n    actions: [x]\n    then: person running\n", `f.yaml:4: rules[0].then: then: "person running": want LABEL within TIME`},
		{"time of a sequence", "rules:\n  - name: a\n    actions: [x]\n    then: person running within 2h\n", `f.yaml:4: rules[0]: rule "a": then: within 2h0m0s: want more than 0 and at most 1h0m0s`},
		{"absence", "rules:\n  - name: a\n    absent: {action: [x], for: 2h}\n", "f.yaml:3: rules[0].absent.action: unknown key: want one of actions, for"},
		{"circle", "rules:\n  - {name: a, novel: true, inhibited_by: [b]}\n  - name: b\n    novel: true\n    inhibited_by: [c]\n  - {name: c, novel: true, inhibited_by: [b]}\n", "f.yaml:5: rules[1]: rule \"b\": inhibited_by: rules that inhibit each other in a circle"},
		{"all at once", "rules:\n  - {name: a}\n  - {name: b}\n", "f.yaml:2: rules[0]: rule \"a\": want exactly one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if set, err := compileText(c.text); set != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
	if _, err := compileText("rules:\n  - {name: a}\n  - {name: b}\n"); err == nil || strings.Count(err.Error(), "f.yaml:") != 2 {
		t.Errorf("got %v, want both mistakes", err)
	}
}

func TestTheExampleRuleOfPipelineYAMLHolds(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(shared.Root(t), "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(b), "\nrules: []")
	if !found {
		t.Fatal("pipeline.yaml has no rules: []")
	}
	_, text, _ = strings.Cut(text, "\n")
	set, err := compileText("rules:\n" + regexp.MustCompile(`(?m)^#`).ReplaceAllString(text, ""))
	if err != nil {
		t.Fatal(err)
	}
	if r := set.find("fall"); r == nil || r.Clips != (ClipsRule{2, 3}) || r.Cooldown != 2*time.Minute || r.Schedule == nil || r.Quiet == nil || r.Then == nil || len(r.Overrides) != 1 || r.Escalate == nil {
		t.Errorf("got %+v", r)
	}
}

func TestChangesOfRules(t *testing.T) {
	old := ruleSet(t, Rule{Name: "same", Novel: true, Schedule: &Schedule{Days: "mon"}}, Rule{Name: "edited", Novel: true}, Rule{Name: "gone", Novel: true})
	now := ruleSet(t, Rule{Name: "new", Novel: true}, Rule{Name: "same", Novel: true, Schedule: &Schedule{Days: "mon"}, Severity: "warning"},
		Rule{Name: "edited", Novel: true, Cooldown: time.Minute})
	got := now.Since(old)
	if !slices.Equal(got.Added, []string{"new"}) || !slices.Equal(got.Changed, []string{"edited"}) || !slices.Equal(got.Removed, []string{"gone"}) {
		t.Errorf("got %+v", got)
	}
	var none *RuleSet
	if got := none.Since(old); len(got.Removed) != 3 {
		t.Errorf("got %+v", got)
	}
}

// Whatever the file says, it gives rules or an error, and rules that were accepted can
// be evaluated, are accepted again, and are the same then.
func FuzzCompile(f *testing.F) {
	f.Add("rules:\n  - {name: a, novel: true, clips: 1 of 2}\n")
	f.Add("rules:\n  - {name: a, tags: [x], schedule: {days: sat-mon, from: '08:00', timezone: Europe/Berlin}, cooldown: 2m}\n")
	f.Add("rules: {name: [a], schedule: }\n")
	f.Add("rules:\n  - {name: a, actions: [a], then: b within 30s, quiet: {from: '22:00', to: '06:00'}, false_alarms: 1 per week}\n  - {name: b, absent: 'a for 2s', inhibited_by: [a]}\n")
	f.Add("rules:\n  - {name: a, actions: [a], then: {actions: [b], within: 1s}, severity_from: {warning: 0.1, critical: .9}, escalate: {after: 1s}, camera_tags: [x]}\n")
	f.Add("rules:\n  - name: a\n    actions: [a]\n    similarity: {raise: -1}\n    overrides:\n      - {cameras: ['l*'], score: {raise: 0.2}, clips: 2 of 2}\n      - {camera_tags: [x], severity: info}\n")
	f.Add("rules:\n  - {name: a, absent: {actions: [a, b], for: 24h}, score: {raise: 0.3}}\n")
	f.Add("rules:\n  - {name: a, actions: [a], count: 2 cameras within 30s}\n  - {name: b, tags: [x], count: {cameras: 3, within: 1m}, clips: 1 of 2}\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := compileText(text)
		if (set == nil) == (err == nil) {
			t.Fatalf("a set %v with error %v", set, err)
		}
		if set == nil {
			return
		}
		var rules []Rule
		for _, r := range set.all() {
			rules = append(rules, r.Rule)
		}
		again, err := NewRuleSet(rules...)
		if err != nil {
			t.Fatalf("accepted from a file alone: %v", err)
		}
		if c := again.Since(set); c.Changed != nil || c.Added != nil || c.Removed != nil {
			t.Errorf("compiled again, it is another: %+v", c)
		}
		e := NewEngine(set, time.Minute)
		e.SetTrace(func(Trace) {})
		c := NewCounter(set)
		e.SetSighted(func(s topics.Sighting) { c.See(s, s.Seen.End) })
		for i := range 6 {
			rec := clipAt(t0, i, topics.LabelScore{Label: "a", Score: .1 * float64(i), Tags: []string{"x"}}, topics.LabelScore{Label: "b", Score: .9, Novel: true})
			rec.Tags = [][]string{nil, {"x"}}[i/2%2]
			for _, a := range e.Evaluate(rec) {
				if _, err := topics.EncodeAlert(a); err != nil {
					t.Errorf("an alert that no record can carry: %v", err)
				}
			}
		}
		_ = set.WithoutEffect(Surroundings{Cameras: map[string][]string{"lobby": {"x"}}})
	})
}
