package commands

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/redistest"
)

// While the file of an `up` has a mistake, rules in Redis can be listed and edited, and
// the output says that those of the file are not among them.
func TestRulesWhileTheFileHasAMistake(t *testing.T) {
	s, dir := redistest.Start(t), t.TempDir()
	file := filepath.Join(dir, "pipeline.yaml")
	raw, err := json.Marshal(up.Endpoints{Kafka: "127.0.0.1:1", Redis: s.Addr, Config: file})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "endpoints.json"), string(raw))
	s.HSet(t, "frostwatch:vocab:default", "running", "")
	for _, c := range []struct{ text, warning string }{
		{"rules: [{name: fall, actions: [running]}]\n", ""},
		{"rules: [{name: fall, actions: [running}]\n", "pipeline.yaml:1: "},            // no YAML
		{"rules: [{name: fall, action: [running]}]\n", "rules[0].action: unknown key"}, // no rule
	} {
		write(t, file, c.text)
		for _, args := range [][]string{{"watch", "waving"}, {"rule", "ls"}, {"watch", "--undo", "waving"}, {"rule", "add", "run", "--action", "running"}, {"rule", "rm", "run"}} {
			out, ok := command(t, append(args, "--data", dir)...)
			warned := strings.HasPrefix(out, "warning: the rules of the configuration file are not known here") && strings.Contains(out, c.warning)
			if !ok || warned != (c.warning != "") {
				t.Errorf("%s%q: %s", c.text, args, out)
			}
			// A rule of the file may name it.
			if args[1] == "--undo" && strings.Contains(out, `label "waving" stays`) != warned {
				t.Errorf("%s%q: %s", c.text, args, out)
			}
		}
	}
}
