package commands

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
)

// configRan runs a command and returns what it printed and its exit status.
func configRan(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	var b strings.Builder
	status = Run(t.Context(), Program{Args: args, Out: &b, Err: &b})
	return b.String(), status
}

func configFileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheckNamesWhatCanNeverTakeEffect(t *testing.T) {
	t.Setenv("SET", "x")
	path := configFileOf(t, `
cameras:
  - {name: door, url: "rtsp://u:${UNSET}@10.0.0.7/s"}
  - {name: gate, url: "rtsp://u:${SET}@10.0.0.7/s"}
  - {name: yard, url: "rtsp://u:plain@10.0.0.8/s"}
vocab: {sets: [{name: ward, cameras: ["ward-*"]}]}
rules:
  - {name: fall, actions: [a fall], cameras: ["dor*"]}
  - {name: fence, actions: [a climb], cameras: ["door", "gate"], notify: [ops], false_alarms: 1 per week}
notify:
  receivers: [{name: chat, webhook: {url: "https://hooks.example.com/s3cret"}}]
`)
	out, status := configRan(t, "config", "check", path)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, out)
	}
	for _, want := range []string{
		path + " is right: 3 cameras, 2 rules, 1 receiver",
		"camera door: the environment variable UNSET is not set here",
		"camera yard: its URL holds a password",
		`rule fall: no camera matches "dor*"`,
		`rule fence: it notifies "ops", and notify.receivers has only chat`,
		"camera yard: no rule of the file watches it",
		"no camera of the file uses the vocabulary ward",
		"infer.bundle: ",
		"archive.bucket: empty",
		"calibrate: without `frostwatch up`, the budgets of fence are kept only where `frostwatch calibrate` runs",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	for _, never := range []string{"plain@", "s3cret", "camera gate"} {
		if strings.Contains(out, never) {
			t.Errorf("%q is in:\n%s", never, out)
		}
	}
}

func TestConfigCheckFailsAsAStageDoes(t *testing.T) {
	for text, want := range map[string]string{
		"framer: {short_side: 3}\n":                                    ":1: framer.short_side: 3: want 16 to 1536",
		"rules:\n  - {name: fall, acts: [a fall]}\n":                   ":2: rules[0].acts: unknown key",
		"rules:\n  - {name: fall}\n":                                   ":2: rules[0]",
		"cameras:\n  - {name: a, url: \"ftp://h/s\"}\n":                ":2: cameras[0]",
		"notify:\n  receivers: [{name: chat, webhook: {url: nope}}]\n": ":2: notify.receivers[0]",
	} {
		out, status := configRan(t, "config", "check", configFileOf(t, text))
		if status != 1 || !strings.Contains(out, want) || strings.Contains(out, "is right") {
			t.Errorf("%q: exit status %d, want 1 and %q in:\n%s", text, status, want, out)
		}
	}
}

func TestConfigShowAndDiff(t *testing.T) {
	t.Setenv("PASS", "hunter2")
	path := configFileOf(t, "redis:\n  password: \"${PASS}\"\nframer: {queue: 9}\n")
	out, status := configRan(t, "config", "show", "--set", path)
	if want := "redis.password  ***  " + path + ":2, environment PASS\nframer.queue    9    " + path + ":3\n"; status != 0 || out != want {
		t.Errorf("show: exit status %d, got\n%swant\n%s", status, out, want)
	}
	if out, _ := configRan(t, "config", "show", path); !strings.Contains(out, "framer.jpeg_quality") || strings.Contains(out, "hunter2") {
		t.Errorf("show without --set lacks a default, or has a secret:\n%s", out)
	}
	wrong := configFileOf(t, "framer: {queue: 9}\nrules:\n  - {name: fall, actions: [a fall], contrast: {rais: 0.5}}\n")
	if out, status := configRan(t, "config", "show", "--set", wrong); status != 1 || !strings.Contains(out, "framer.queue  9") || !strings.Contains(out, ":3: rules[0].contrast.rais: unknown key") {
		t.Errorf("with a mistake in a rule: exit status %d:\n%s", status, out)
	}
	if out, _ := configRan(t, "config", "diff", path); out != "redis.password: differs\nframer.queue: 9 instead of 8\n" {
		t.Errorf("diff with the defaults:\n%s", out)
	}
	if out, _ := configRan(t, "config", "diff", path, configFileOf(t, "framer: {queue: 9}\n")); out != "redis.password: differs\n" {
		t.Errorf("diff of two files:\n%s", out)
	}
	if out, status := configRan(t, "config", "show", "--data", t.TempDir()); status != 1 || !strings.Contains(out, "no configuration file here") {
		t.Errorf("without a file: exit status %d:\n%s", status, out)
	}
}

// What was written is checked as `config check` does, and what does not pass is taken away.
func TestInitLeavesNothingThatDoesNotPass(t *testing.T) {
	dir := t.TempDir()
	args := []string{"init", "machine", "--out", dir, "--watch", "person falling down", "--bundle"}
	out, status := configRan(t, append(args, "models/${UNSET_HERE}")...)
	if status != 1 || !strings.Contains(out, "UNSET_HERE") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if out, status := configRan(t, append(args, "models/b16")...); status != 0 || !strings.Contains(out, "wrote "+dir) {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

// Of an `up` that runs, what is in force is shown while its file has a mistake, with the mistake.
func TestConfigShowsWhatIsInForceBesideAMistake(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	data := t.TempDir()
	path := configFileOf(t, "framer: {queue: 9}\n")
	f, err := config.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(up.Endpoints{HTTP: strings.TrimPrefix(web.URL, "http://"), Config: path, Settings: f.Settings(), Live: []string{"rules"}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "endpoints.json"), string(raw))
	write(t, path, "framer: {queue: 10\n")
	out, status := configRan(t, "config", "show", "--data", data)
	for _, want := range []string{"framer.queue ", " 9 ", "rules ", "can't be read while the file has a mistake", "frostwatch: " + path + ":1: "} {
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("exit status %d, %q is missing in\n%s", status, want, out)
		}
	}
	if out, status := configRan(t, "config", "show", path); status != 1 || strings.Contains(out, "framer.queue ") {
		t.Errorf("a file that is named: exit status %d\n%s", status, out)
	}
}
