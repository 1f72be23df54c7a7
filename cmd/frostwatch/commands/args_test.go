package commands

import (
	"bytes"
	"strings"
	"testing"
)

func TestMistakesInArgumentsAreWordedForPeople(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"model", "show"}, "frostwatch: model show: want NAME|FOLDER, got none"},
		{[]string{"model", "import", "a", "b"}, "frostwatch: model import: want CHECKPOINT, got a b"},
		{[]string{"camsim"}, "frostwatch: camsim: want FILE..., got none"},
		{[]string{"version", "now"}, "frostwatch: version: want no arguments, got now"},
		{[]string{"model", "frobnicate"}, `frostwatch: model: unknown command "frobnicate": want check, compare, import, ls`},
		{[]string{"alerts", "ls", "--since", "10"}, `--since "10": as Unix seconds that is not a time of our days`},
		{[]string{"alerts", "ls", "--since", "7d", "--data", "no-such-folder"}, "nothing runs here"},
		{[]string{"frobnicate"}, `unknown command "frobnicate"`},
	} {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), Program{Args: c.args, Out: &out, Err: &errs}); code != 1 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit status %d, want 1 and %q:\n%s", c.args, code, c.want, errs.String())
		}
	}
}

// Help shows no word of a description as a type, and no zero value as a default.
func TestHelpOfFlags(t *testing.T) {
	var out bytes.Buffer
	if code := Run(t.Context(), Program{Args: []string{"camera", "add", "--help"}, Out: &out, Err: &out}); code != 0 {
		t.Fatalf("exit status %d: %s", code, out.String())
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"--data string data directory", "(default: framer.stride of the configuration)"} {
		if !strings.Contains(help, want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(help, "default 0s") {
		t.Errorf("a default that is none:\n%s", out.String())
	}
}

func TestVersion(t *testing.T) {
	for want, p := range map[string]Program{
		"frostwatch 1.2.3, go":                               {Version: "1.2.3"},
		"frostwatch 1.2.3, commit 0123abc of 2026-11-30, go": {Version: "1.2.3", Commit: "0123abc", Date: "2026-11-30"},
	} {
		var out bytes.Buffer
		p.Args, p.Out, p.Err = []string{"version"}, &out, &out
		if code := Run(t.Context(), p); code != 0 || !strings.HasPrefix(out.String(), want) {
			t.Errorf("exit status %d: %s, want %s", code, out.String(), want)
		}
	}
}
