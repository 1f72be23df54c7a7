package ruledesk

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
)

// What somebody has written stays as it is, but for the lines of what is changed.
func TestAChangeWritesItsOwnLinesOnly(t *testing.T) {
	const text = "# why it is here\nactions: [person falling down]   # the words\ncameras: [\"ward-*\"]              # not the yard\n\n# levels\ncontrast: {raise: 0.6, clear: 0.4} # tuned\nclips: 2 of 3                    # two\ncooldown: 2m # short\noverrides:\n  # night\n  - cameras: [a]   # one\n    clips: 1 of 1\n# the end\n"
	word := func(s string) *string { return &s }
	level := 0.7
	for _, c := range []struct {
		change Change
		edits  []string // what stands in place of what
	}{
		{Change{Clips: word("1 of 2")}, []string{"clips: 2 of 3                    # two", "clips: 1 of 2                    # two"}},
		{Change{Cameras: &[]string{"x: # y", "it's"}}, []string{"cameras: [\"ward-*\"]              # not", "cameras: [\"x: # y\", \"it's\"]      # not"}},
		{Change{FalseAlarms: word("1 per week")}, []string{"\n# levels\ncontrast: {raise: 0.6, clear: 0.4} # tuned\n", "", "# the end", "false_alarms: 1 per week\n# the end"}},
		{Change{Contrast: &level}, []string{"{raise: 0.6, clear: 0.4} #", "{raise: 0.7, clear: 0.4} #"}},
		{Change{Actions: &[]string{"a"}, Severity: word("info")}, []string{"[person falling down]   #", "[\"a\"]                   #", "# the end", "severity: info\n# the end"}},
	} {
		want := strings.NewReplacer(c.edits...).Replace(text)
		if got, err := c.change.In("r", text); err != nil || got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
		}
	}
	// JSON, as programs write it, is written anew.
	if got, err := (Change{Clips: word("1 of 2")}).In("r", `{"actions": ["a"], "clips": "2 of 3"}`); err != nil || !strings.Contains(got, "1 of 2") {
		t.Errorf("%v: %s", err, got)
	}
}

// However somebody's editor has written the text, comments stay.
func TestAChangeKeepsCommentsInEveryForm(t *testing.T) {
	const text = "# why it is here\nactions: [person falling down]   # the words\ncontrast:      # tuned\n  # by night\n  raise: 0.6   # from May on\n  clear: 0.4   # not lower\n\nclips: 2 of 3  # two\n# the end\n"
	two, level := "1 of 2", 0.7
	change := Change{Clips: &two, Contrast: &level}
	edits := strings.NewReplacer("2 of 3", "1 of 2", "0.6 ", "0.7 ")
	for name, in := range map[string]string{
		"as it is":               text,
		"lines of Windows":       strings.ReplaceAll(text, "\n", "\r\n"),
		"a document's beginning": "---\n" + text,
		"a comment above it":     "# of the ward\n--- # one\n" + text,
		"both":                   strings.ReplaceAll("---\n"+text, "\n", "\r\n"),
		"a tab in a label":       strings.Replace(text, "person falling down", `"person\tfalling"`, 1),
	} {
		got, err := change.In("r", in)
		if want := edits.Replace(in); err != nil || got != want {
			t.Errorf("%s: %v: got\n%q\nwant\n%q", name, err, got, want)
			continue
		}
		if _, err := alerts.ParseRule("r", got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAChangeKeepsTheRestOfARulesText(t *testing.T) {
	const text = "# why it is here\nactions: [person falling down]\ncameras: [\"ward-*\"] # not the yard\ncontrast: {raise: 0.6, clear: 0.4}\nclips: 2 of 3\ncooldown: 2m\n"
	word := func(s string) *string { return &s }
	level := 0.7
	for _, c := range []struct {
		name   string
		change Change
		want   string // the sentence
		keeps  []string
	}{
		{"nothing", Change{}, `Tell every receiver when "person falling down" is seen on ward-*, in 2 of 3 clips, from contrast 0.6.`, []string{text}},
		{"a budget", Change{FalseAlarms: word("1 per week")}, `Tell every receiver when "person falling down" is seen on ward-*, in 2 of 3 clips, at most 1 false alarm per week.`, []string{"why it is here", "not the yard", "cooldown: 2m"}},
		{"a contrast", Change{Contrast: &level, Clips: word(" ")}, `Tell every receiver when "person falling down" is seen on ward-*, from contrast 0.7.`, []string{"clear: 0.4"}},
		{"lists", Change{Actions: &[]string{"a: b", "c"}, Cameras: &[]string{}, CameraTags: &[]string{"ward"}, Notify: &[]string{"ops", "desk"}}, `Tell ops or desk when "a: b" or "c" is seen on any camera tagged ward, in 2 of 3 clips, from contrast 0.6.`, []string{"cooldown: 2m"}},
	} {
		got, err := c.change.In("r", text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := alerts.ParseRule("r", got)
		if err != nil {
			t.Fatalf("%s: %v in %s", c.name, err, got)
		}
		if said := Plain(Sentence(r)); said != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, said, c.want)
		}
		for _, k := range c.keeps {
			if !strings.Contains(got, k) {
				t.Errorf("%s: %q is lost: %s", c.name, k, got)
			}
		}
	}
	// What is written anew, as JSON is, keeps a tab too.
	if tabbed, err := (Change{Clips: word("1 of 2")}).In("r", `{"actions": ["a\tb"], "clips": "2 of 3"}`); err != nil {
		t.Error(err)
	} else if r, err := alerts.ParseRule("r", tabbed); err != nil || len(r.Actions) != 1 || r.Actions[0] != "a\tb" {
		t.Errorf("%q, %v in %s", r.Actions, err, tabbed)
	}
	// A mistake is left for the check of the rule, which names the field.
	broken, err := Change{Clips: word("often")}.In("r", text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alerts.ParseRule("r", broken); err == nil || !strings.Contains(err.Error(), "clips") {
		t.Errorf("got %v", err)
	}
}
