package calibrate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

func tests(t *testing.T, path string) (*TestFile, []RuleTest) {
	t.Helper()
	f, err := ReadTests(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, f.Tests
}

func TestUnitTestsPass(t *testing.T) {
	f, all := tests(t, "testdata/tests.yaml")
	rules, err := CompileRules(f.Rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range all {
		for _, wrong := range test.Run(rules) {
			t.Errorf("%s: %s", test.Name, wrong)
		}
	}
}

// The rules that come with the product do what is written beside them.
func TestExampleRules(t *testing.T) {
	root := shared.Root(t)
	example, err := os.ReadFile(filepath.Join(root, "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, commented, found := strings.Cut(string(example), "\nrules: []")
	_, commented, more := strings.Cut(commented, "\n")
	if !found || !more {
		t.Fatal("pipeline.yaml has no commented rules at its end")
	}
	path := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(path, []byte("rules:\n"+strings.ReplaceAll("\n"+commented, "\n#", "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for rules, tests := range map[string]string{
		path: "testdata/pipeline_tests.yaml",
		filepath.Join(root, "cmd/frostwatch/demo/pipeline.yaml"): "testdata/demo_tests.yaml",
	} {
		f, err := ReadTests(tests)
		if err != nil {
			t.Fatal(err)
		}
		set, err := CompileRules(rules)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range f.Tests {
			for _, wrong := range test.Run(set) {
				t.Errorf("%s: %s: %s", tests, test.Name, wrong)
			}
		}
	}
}

// A failure says what was expected, what came, and when.
func TestUnitTestsFail(t *testing.T) {
	const head = "rules: rules.yaml\ntests:\n  - name: it\n    series: [{camera: ward-1, label: person falling down, values: 0.9x3 0.1x5}]\n    alerts: "
	for expected, want := range map[string]string{
		"[]": `rule fall on ward-1: not expected: an alert of "person falling down" at 0.900, raised at 6s (clip 1), cleared at 14s (clip 5)`,
		"[{rule: fall, camera: ward-1, raised: 8s, cleared: 14s}]":                                           "rule fall on ward-1: expected an alert raised at 8s: it was raised at 6s (clip 1)",
		"[{rule: fall, camera: ward-1, raised: 6s}]":                                                         "rule fall on ward-1: expected an alert raised at 6s: it was cleared at 14s (clip 5), and should stay open",
		"[{rule: fall, camera: ward-1, raised: 6s, cleared: 16s}]":                                           "rule fall on ward-1: expected an alert raised at 6s: it was cleared at 14s (clip 5), and should be at 16s",
		"[{rule: fall, camera: ward-1, label: x, raised: 6s, cleared: 14s}]":                                 `rule fall on ward-1: expected an alert raised at 6s: it is about "person falling down", and should be about "x"`,
		"[{rule: fall, camera: ward-1, raised: 6s, cleared: 14s}, {rule: fall, camera: ward-2, raised: 6s}]": "rule fall on ward-2: expected an alert raised at 6s, got none",
		"[{rule: fall, camera: ward-1, raised: 6s, cleared: 14s}, {rule: fal, camera: ward-1, raised: 6s}]":  `an alert of rule "fal" is expected: there is no such rule`,
	} {
		path := filepath.Join(t.TempDir(), "tests.yaml")
		if err := os.WriteFile(path, []byte(head+expected+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, all := tests(t, path)
		if filepath.Dir(f.Rules) != filepath.Dir(path) {
			t.Errorf("the rules are looked for at %s", f.Rules)
		}
		rules, err := CompileRules("testdata/rules.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if wrong := all[0].Run(rules); len(wrong) == 0 || wrong[0] != want {
			t.Errorf("%s: got %q, want %q", expected, wrong, want)
		}
	}
}

func TestMistakesInUnitTests(t *testing.T) {
	for text, want := range map[string]string{
		"rules: r.yaml": "want rules, the configuration file that has them, and tests",
		"rules: r.yaml\ntests: [{name: x, series: [{camera: c, label: l, values: 0.1 zz}]}]":                                              `values: "zz": want numbers such as 0.9`,
		"rules: r.yaml\ntests: [{name: x, series: [{camera: c, label: l, values: 1.5}]}]":                                                 "want -1 to 1",
		"rules: r.yaml\ntests: [{name: x, series: [{camera: c, label: l, values: 0.1x0}]}]":                                               "want 1 to 100000 clips",
		"rules: r.yaml\ntests: [{name: x, series: [{camera: c, label: l, values: 0.1x60000}, {camera: d, label: l, values: 0.1x60000}]}]": "its series have 120000 clips: at most 100000",
		"rules: r.yaml\ntests: [{name: x, series: [{camera: c, values: 0.1}]}]":                                                           "wants a camera, a label and values",
		"rules: r.yaml\ntests: [{name: x, sereis: []}]":                                                                                   `unknown field "sereis"`,
		"rules: r.yaml\ntests: [{name: x, stride: 2h, series: [{camera: c, label: l, values: 1}]}]":                                       "want stride and window from 1ms to 1h",
	} {
		path := filepath.Join(t.TempDir(), "tests.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTests(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The example of the page passes with the rule that pages show.
func TestTheExampleOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(shared.Root(t), "docs", "past.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	path := filepath.Join(t.TempDir(), "tests.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	_, all := tests(t, path)
	rules, err := CompileRules("testdata/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if wrong := all[0].Run(rules); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
}
