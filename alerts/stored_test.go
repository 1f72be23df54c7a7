package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestARuleInRedisHasTheKeysOfTheFile(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	for value, want := range map[string]string{
		`actions: ["person waving"]`: "",
		"# a comment\nactions:\n  - person waving\ncameras: [\"yard-*\"]\nclips: 2 of 3\ncooldown: 2m\nfalse_alarms: 1 per week\n": "",
		`{"actions": ["person waving"], "contrast": {"raise": 0.6}}`:                                                               "",
		"name: wave\nactions: [a]":          "",
		"name: other\nactions: [a]":         `named by its field`,
		"":                                  "want exactly one of actions",
		"actions: person waving":            "want a list",
		"actions: [a]\nscore: {rise: 1}":    `value:2: score.rise: unknown key: want one of raise`,
		"actions: [a]\nclips: 3 of 2":       "want N of M",
		"actions: [a]\nverify: a {camera}?": "verify: there is no placeholder {camera}: the only one is {label}",
		"actions: [a]\n---\nactions: [b]":   "a second document",
		"[a, b]":                            "a list: want the keys",
		"actions: [":                        "value:1",
		"actions: [a]\nseverity: ${SECRET}": `"${SECRET}": want info`,
		strings.Repeat("[", 100):            "nested too deeply",
		"actions: [\"" + strings.Repeat("a", maxStoredValue) + "\"]":  "at most 16384",
		"actions: &a [x]\ntags: *a":                                   "anchors",
		"actions: [a]\nschedule: {from: \"8:00\"}\ncooldown: -1s":     "cooldown",
		"actions: [a]\nfalse_alarms: 1 per week\nscore: {raise: 0.5}": "at most one of",
	} {
		r, err := ParseRule("wave", value)
		switch {
		case want == "" && (err != nil || r.Name != "wave"):
			t.Errorf("%.60q: got %q, %v", value, r.Name, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.60q: got %v, want %q", value, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the environment is shown: %v", value, err)
		}
	}
}

// What is wrong with one rule in Redis affects no other, and the file's rules count.
func TestRulesInRedisJoinThoseOfTheFile(t *testing.T) {
	file, err := NewRuleSet(Rule{Name: "fall", Actions: []string{"falling"}, Cooldown: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	stored := storedRules(map[string]string{
		"wave": `actions: ["person waving"]`, "fall": `actions: ["tripping"]`, "broken": "actions: [", "a/b": "novel: true", "any": "novel: true",
	})
	all, skipped := Join(file, &stored)
	if got, want := fmt.Sprint(all.Names()), "[fall any wave]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if r := all.find("fall"); r == nil || r.Actions[0] != "falling" || r.Cooldown != time.Minute {
		t.Errorf("the file's rule does not count: %+v", r)
	}
	var names []string
	for _, p := range skipped {
		names = append(names, p.Rule)
	}
	if got, want := fmt.Sprint(names), "[a/b broken fall]"; got != want {
		t.Errorf("skipped %s, want %s", got, want)
	}
}

func storedRules(entries map[string]string) Stored {
	return ParseStored(vocab.Content{Entries: entries})
}

// Until the store has been read, an alert of a rule that may be in it stays open.
func TestAlertsOfRulesThatWereNotReadYetStayOpen(t *testing.T) {
	file, err := NewRuleSet(Rule{Name: "fall", Actions: []string{"falling"}})
	if err != nil {
		t.Fatal(err)
	}
	unread, _ := Join(file, nil)
	e := NewEngine(unread, time.Minute)
	e.Restore(topics.Alert{
		ID: "wave/lobby-1-1", State: topics.AlertRaised, Rule: "wave", Camera: "lobby", Label: "person waving", At: time.Unix(100, 0), Onset: time.Unix(96, 0),
	})
	if got := e.SetRules(unread); len(got) > 0 {
		t.Fatalf("cleared before the store was read: %+v", got)
	}
	stored := storedRules(map[string]string{"wave": `actions: ["person waving"]`})
	read, _ := Join(file, &stored)
	if got := e.SetRules(read); len(got) > 0 || len(e.Open()) != 1 {
		t.Fatalf("cleared although the store has the rule: %+v", got)
	}
	if got := e.SetRules(file); len(got) != 1 || got[0].Reason != ruleRemoved {
		t.Errorf("not cleared when the rule was removed: %+v", got)
	}
}

// Anyone may write the store: a circle of a thousand rules took minutes, with each edit.
func TestACircleOfStoredRulesCostsOneOfThem(t *testing.T) {
	file, err := NewRuleSet(Rule{Name: "file", Actions: []string{"falling"}, InhibitedBy: []string{"r0000"}})
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{"back": `{actions: [a], inhibited_by: [file]}`}
	for i := range maxStored - 1 {
		entries[fmt.Sprintf("r%04d", i)] = fmt.Sprintf(`{actions: [a], inhibited_by: [r%04d]}`, (i+1)%(maxStored-1))
	}
	stored := storedRules(entries)
	began := time.Now()
	all, skipped := Join(file, &stored)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(skipped) != 1 || skipped[0].Rule != "r0998" || !strings.Contains(skipped[0].Err.Error(), "in a circle") || len(all.all()) != maxStored {
		t.Errorf("%d rules, skipped %v", len(all.all()), skipped)
	}
	same := 0
	for _, why := range all.WithoutEffect(Surroundings{}) {
		same += strings.Count(why.Error(), "watches for the same")
	}
	if same > len(all.all()) {
		t.Errorf("%d rules are said %d times to be the same", len(all.all()), same)
	}
	closing := storedRules(map[string]string{"r0000": `{actions: [a], inhibited_by: [b]}`, "b": `{actions: [a], inhibited_by: [file]}`})
	if all, skipped := Join(file, &closing); len(skipped) != 1 || skipped[0].Rule != "r0000" || len(all.all()) != 2 {
		t.Errorf("a circle over the file's rule: skipped %v", skipped)
	}
}

func TestARuleThatIsWrongInEveryWordIsReportedInShort(t *testing.T) {
	many := strings.Repeat(`"[", `, 1000)
	if _, err := ParseRule("wrong", `{actions: [a], cameras: [`+many+`]}`); err == nil || len(err.Error()) > 4000 || !strings.Contains(err.Error(), "980 more") {
		t.Errorf("got %.300v", err)
	}
	r, err := ParseRule("unknown", `{actions: [`+strings.ReplaceAll(many, "[", "a")+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewRuleSet(r)
	if err != nil {
		t.Fatal(err)
	}
	words := func(string) *vocab.Vocabulary { return &vocab.Vocabulary{Name: "default"} }
	if why := set.WithoutEffect(Surroundings{Words: words})["unknown"]; why == nil || len(why.Error()) > 4000 || !strings.Contains(why.Error(), "980 more") {
		t.Errorf("got %.300v", why)
	}
}

// What versions before took stays in force, and is reported.
func TestAnOldRuleWithAnUnknownPlaceholderStaysInForce(t *testing.T) {
	file, err := NewRuleSet(Rule{Name: "filed", Actions: []string{"falling"}, Verify: "Is it {who}?"})
	if err != nil {
		t.Fatal(err)
	}
	stored := storedRules(map[string]string{"stored": "actions: [waving]\nverify: Is it {camera}?", "other": "actions: [running]\nverify: Is it {label}?"})
	all, skipped := Join(file, &stored)
	if got := fmt.Sprint(all.Names(), skipped); got != "[filed other stored] []" {
		t.Errorf("got %s", got)
	}
	idle := all.WithoutEffect(Surroundings{})
	for name, want := range map[string]string{"filed": "no placeholder {who}", "stored": "no placeholder {camera}: the only one is {label}, which stands for the alert's label: it is asked as it is written"} {
		if err := idle[name]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if idle["other"] != nil {
		t.Error(idle["other"])
	}
}
