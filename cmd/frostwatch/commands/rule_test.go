package commands

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/internal/redistest"
)

// ruleRig runs commands on a Redis of its own, with a file that has the rule fall.
// There is no Kafka.
type ruleRig struct {
	*redistest.Server
	file string
}

func newRuleRig(t *testing.T) ruleRig {
	t.Helper()
	s, file := onRedis(t)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("kafka: {brokers: [\"127.0.0.1:1\"]}\nrules: [{name: fall, actions: [falling down]}]\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.HSet(t, "f:vocab:default", "falling down", "", "running", "")
	return ruleRig{s, file}
}

func (r ruleRig) run(t *testing.T, args ...string) string {
	t.Helper()
	out, ok := command(t, append(args, "--config", r.file)...)
	if !ok {
		t.Fatalf("%q: %s", args, out)
	}
	return out
}

func (r ruleRig) fails(t *testing.T, want string, args ...string) {
	t.Helper()
	if out, ok := command(t, append(args, "--config", r.file)...); ok || !strings.Contains(out, want) {
		t.Errorf("%q: got %v\n%s\nwant %q", args, ok, out, want)
	}
}

func holds(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("got %s\nwant %q", out, w)
		}
	}
}

func TestRulesAreEditedWithCommands(t *testing.T) {
	r := newRuleRig(t)
	holds(t, r.run(t, "rule", "add", "run", "--action", "runnin", "--camera", "yard-*", "--clips", "2of3", "--cooldown", "2m", "--false-alarms", "1 per week", "--by", "ana"),
		"rule run added", `the vocabulary default has no label "runnin" (there is "running")`)
	if got := r.Client.HGet(t.Context(), "f:rules", "run").Val(); got != "actions: [\"runnin\"]\ncameras: [\"yard-*\"]\nfalse_alarms: \"1 per week\"\nclips: \"2of3\"\ncooldown: 2m0s\n" {
		t.Errorf("stored %q", got)
	}
	good := regexp.MustCompile(`version (\w{16})`).FindStringSubmatch(r.run(t, "rule", "ls"))[1]
	r.fails(t, "clips: 3 of 2: want N of M", "rule", "add", "run", "--action", "running", "--clips", "3 of 2")
	r.fails(t, "has a rule \"fall\": edit it there", "rule", "add", "fall", "--action", "running")
	r.fails(t, "want flags of the rule, or --file", "rule", "add", "run", "--action", "running", "-f", "x.yaml")
	text := "# why\nactions: [running]\n"
	path := filepath.Join(t.TempDir(), "run.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, r.run(t, "rule", "add", "run", "-f", path), "rule run changed")
	holds(t, r.run(t, "rule", "add", "run", "-f", path), "rule run is as it was")
	if got := r.Client.HGet(t.Context(), "f:rules", "run").Val(); got != text {
		t.Errorf("stored %q", got)
	}
	r.HSet(t, "f:rules", "bad\x1b[31m", "actions: [", "fall", "actions: [x]")
	out := r.run(t, "rule", "ls")
	holds(t, out, "fall  file", "run   redis", "skipped: rule bad", "skipped: rule fall: the configuration file has a rule of this name", "not checked against everything: Kafka")
	if strings.Contains(out, "\x1b") {
		t.Errorf("an escape sequence reaches the terminal: %q", out)
	}
	holds(t, r.run(t, "rule", "ls", "--json"), `"rule": "run"`, `"from": "redis"`, `"watches_for": "\"running\""`, `"value": "# why\nactions: [running]\n"`)
	holds(t, r.run(t, "rule", "history"), "  ana (rule add)\n  + \"run\"", "external\n  + \"bad")
	holds(t, r.run(t, "rule", "rollback", good, "--dry-run"), "would change:\n  - \"bad")
	holds(t, r.run(t, "rule", "rollback", good), "- \"fall\"", "~ \"run\"", "version "+good)
	r.fails(t, `"fall" (it is in `, "rule", "rm", "fall")
	r.fails(t, `"rum" (there is "run")`, "rule", "rm", "rum")
	holds(t, r.run(t, "rule", "rm", "run"), "removed: run")
	if n := r.Client.Exists(t.Context(), "f:rules-emptied").Val(); n != 1 {
		t.Error("workers will take it for lost that no rule is left")
	}
	holds(t, r.run(t, "rule", "rm", "--all"), "1 rule of the configuration file stay")
}

func TestWatchAddsTheLabelAndTheRule(t *testing.T) {
	r := newRuleRig(t)
	holds(t, r.run(t, "watch", " person  waving ", "--tag", "greeting"),
		`label "person waving" added`, "rule person-waving added: contrast from 0.", "no infer worker has it in force", "frostwatch watch --undo person-waving")
	if got := r.Client.HGet(t.Context(), "f:rules", "person-waving").Val(); got != "actions: [\"person waving\"]\n" {
		t.Errorf("stored %q", got)
	}
	if got := r.Client.HGet(t.Context(), "f:vocab:default", "person waving").Val(); got != `{"tags":["greeting"]}` {
		t.Errorf("stored %q", got)
	}
	holds(t, r.run(t, "watch", "Running", "--false-alarms", "1 per week"), `label "running" was there already`, "rule running added: contrast, at most 1 false alarm per week")
	holds(t, r.run(t, "watch", "person waving", "--contrast", "0.7"), "was there already", "rule person-waving changed: contrast from 0.7")
	// A mistake changes neither.
	r.fails(t, "want a number per hour", "watch", "jumping", "--false-alarms", "few")
	if r.Client.HExists(t.Context(), "f:vocab:default", "jumping").Val() {
		t.Error("the label was added although its rule was refused")
	}
	holds(t, r.run(t, "watch", "not waving"), `advice: label "not waving", label: "not" is hardly taken into account`, `frostwatch watch --undo not-waving --config "`+r.file+`"`)
	holds(t, r.run(t, "watch", "--undo", "not-waving"), `label "not waving" removed`)
	r.fails(t, "want the name of a rule: these watch for it: running", "watch", "--undo", "RUNNING ")
	r.fails(t, `watch: want WORDS in quotation marks: frostwatch watch "person waving"`, "watch", "person", "waving")
	holds(t, r.run(t, "watch", "--undo", "running"), "rule running removed", `label "Running" stays: it was not added by`)
	holds(t, r.run(t, "watch", "person waving", "--camera", "yard-*"), "rule person-waving-yard")
	holds(t, r.run(t, "watch", "--undo", "person-waving"), `label "person waving" stays: rule person-waving-yard`)
	for _, name := range r.Client.HKeys(t.Context(), "f:rules").Val() {
		holds(t, r.run(t, "watch", "--undo", name), `label "person waving" removed`)
	}
	r.fails(t, "not among the rules in Redis", "watch", "--undo", "person-waving")
}

func TestWatchNamesRulesByTheWords(t *testing.T) {
	names := map[string]string{}
	for _, c := range []struct {
		words   string
		cameras []string
	}{
		{"person waving", nil}, {"person waving", []string{"yard-*"}}, {"person waving", []string{"yard-?"}}, {"person waving!", nil}, {"person-waving", nil},
		{"人が倒れる", nil}, {"人が走る", nil}, {strings.Repeat("very ", 30) + "a", nil}, {strings.Repeat("very ", 30) + "b", nil},
	} {
		name := ruledesk.NameOf(c.words, c.cameras)
		if other, taken := names[name]; taken {
			t.Errorf("%q %q and %s are both %s", c.words, c.cameras, other, name)
		}
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`).MatchString(name) || name != ruledesk.NameOf(c.words, c.cameras) {
			t.Errorf("%q: %s", c.words, name)
		}
		names[name] = c.words
	}
	if names["person-waving"] != "person waving" {
		t.Errorf("got %v", names)
	}
}

func TestWhatRaisesAnAlert(t *testing.T) {
	here := ruledesk.Around{Surroundings: alerts.Surroundings{Cameras: map[string][]string{"yard-1": nil, "door": {"in"}}}}
	for text, want := range map[string]string{
		"{actions: [a]}": "a clip that shows it raises an alert",
		"{actions: [a], count: 2 cameras within 10s}": "2 cameras that show it within 10s raise an alert",
		"{actions: [a], cameras: ['ward-*']}":         "",
		"{actions: [a], camera_tags: [in]}":           "a clip that shows it raises an alert",
	} {
		r, err := alerts.ParseRule("r", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := raises(r, here); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// All that a rule says is shown, and one that is skipped with the text that is wrong.
func TestRuleShow(t *testing.T) {
	r := newRuleRig(t)
	r.HSet(t, "f:rules", "night", `actions: [running]
severity_from: {warning: 0.5, critical: 0.9}
escalate: {after: 6s}
cooldown: 2m
clips: 2 of 3
inhibited_by: [fall]
schedule: {days: mon-fri, from: "22:00"}
quiet: {from: "12:00", to: "13:00", timezone: Europe/Berlin}
overrides: [{cameras: ["gate-*"], contrast: {raise: 0.8}, clips: 3 of 4, severity: warning}]
notify: [ops, desk]
verify: "Do people run?"
`, "broken", "contrast:\n  raize: 1\x1b[31m", "lens", "stream: {black: 30s, fps_below: 5}")
	holds(t, r.run(t, "rule", "show", "night"), "rule           night, of Redis\n", "watches for    \"running\"\n", "when           contrast from 0.2, 2 of 3 clips\n",
		"severity       info, warning from 0.5, critical from 0.9\n", "escalates      to critical after 6s\n", "cooldown       2m0s\n",
		"hours          mon-fri, 22:00 to 24:00, UTC\n", "quiet          every day, 12:00 to 13:00, Europe/Berlin\n", "inhibited by   fall\n", "notifies       ops, desk\n", "asks           Do people run?\n",
		"override       gate-*: contrast from 0.8, 3 of 4 clips, warning\n", "in Redis:\n  actions: [running]\n")
	holds(t, r.run(t, "rule", "add", "wave", "--action", "running", "--notify", "ops", "--verify", "Does a person wave?"), `it notifies "ops", and notify.receivers is empty`)
	holds(t, r.run(t, "rule", "show", "wave"), "notifies       ops\n", "asks           Does a person wave?\n")
	holds(t, r.run(t, "rule", "show", "broken"), "skipped        value:", "  contrast:\n    raize: 1 [31m\n")
	holds(t, r.run(t, "rule", "show", "lens"), "watches for    picture black for 30s, frame rate below 5\n")
	holds(t, r.run(t, "rule", "show", "fall"), "fall, of "+r.file)
	r.fails(t, `there is no rule "nigt" (there is "night")`, "rule", "show", "nigt")
}

// What is wrong with flags is said without the lines of a text that nobody has seen; of a
// file, with its own.
func TestMistakesInFlagsHaveNoLines(t *testing.T) {
	r := newRuleRig(t)
	path := filepath.Join(t.TempDir(), "wave.yaml")
	if err := os.WriteFile(path, []byte("actions: [running]\nclips: often\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"rule", "add", "x", "--action", "running", "--clips", "often"}, {"watch", "running", "--clips", "often"}} {
		r.fails(t, "frostwatch: clips: ", args...)
	}
	r.fails(t, path+":2: clips", "rule", "add", "x", "-f", path)
}

// Counted cameras are listed, and edits that can't be are refused.
func TestARuleThatCountsCameras(t *testing.T) {
	r := newRuleRig(t)
	path := filepath.Join(t.TempDir(), "crowd.yaml")
	if err := os.WriteFile(path, []byte("actions: [running]\ncamera_tags: [platform]\ncount: 3 cameras within 30s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, r.run(t, "rule", "add", "crowd", "-f", path), "rule crowd added")
	holds(t, r.run(t, "rule", "ls"), `tagged platform  contrast from 0.2  "running", seen by 3 cameras within 30s`)
	holds(t, r.run(t, "rule", "add", "pair", "--action", "running", "--count", "2 cameras within 1m"), "rule pair added")
	holds(t, r.run(t, "rule", "ls"), `"running", seen by 2 cameras within 1m0s`)
	holds(t, r.run(t, "watch", "running", "--count", "2 cameras within 10s"), "rule running added: contrast from 0.2, seen by 2 cameras within 10s")
	if err := os.WriteFile(path, []byte("actions: [running]\ncount: 1 cameras within 30s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := r.run(t, "rule", "add", "zz", "--action", "running", "--camera", "yard"); strings.Contains(out, "effect") {
		t.Errorf("got %s", out)
	}
	holds(t, r.run(t, "rule", "add", "aa", "--action", "running", "--camera", "yard"), `rule zz is now without full effect: it watches for the same as rule "aa"`)
	r.fails(t, "count: 1 cameras: want 2 to 1000", "rule", "add", "crowd", "-f", path)
}
