package commands

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
)

// onRedis is a configuration file that names a Redis of its own, with the prefix f:.
func onRedis(t *testing.T) (s *redistest.Server, file string) {
	t.Helper()
	s, file = redistest.Start(t), filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "redis:\n  address: %s\n  prefix: \"f:\"\n", s.Addr), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file
}

func TestVocabHistoryCommands(t *testing.T) {
	s, file := onRedis(t)
	run := func(args ...string) string {
		t.Helper()
		out, ok := command(t, append([]string{"vocab", "--config", file}, args...)...)
		if !ok {
			t.Fatalf("vocab %q: %s", args, out)
		}
		return out
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if out, ok := command(t, append([]string{"vocab", "--config", file}, args...)...); ok || !strings.Contains(out, want) {
			t.Errorf("vocab %q: got %v\n%s\nwant %q", args, ok, out, want)
		}
	}
	holds := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("got %s\nwant %q", out, w)
			}
		}
	}
	fails("no edit is recorded since the history began", "diff")
	holds(run("history"), "no edit is recorded\n")
	run("add", "fall", "--tag", "care", "--by", "ana")
	good := regexp.MustCompile(`version (\w{16})`).FindStringSubmatch(run("add", "run"))[1]
	s.HSet(t, "f:vocab:default", "fall", `{"treshold":1}`, "x\x1b[31m", "")
	holds(run("history"), "the history begins, with 0 labels\n", "  ana (vocab add)\n  + \"fall\" {\"tags\":[\"care\"]}\n",
		whoEdits()+" (vocab add)\n  + \"run\" (no value)\n", "  external\n  ~ \"fall\" {\"tags\":[\"care\"]} -> {\"treshold\":1}\n  + \"x\\x1b[31m\" (no value)\n")
	if out := run("history", "--label", "FALL"); strings.Contains(out, `"run"`) || strings.Count(out, `"fall"`) != 2 {
		t.Errorf("of one label: %s", out)
	}
	holds(run("diff"), "~ \"fall\"", "+ \"x\\x1b[31m\"")
	if out := run("diff", good[:8], good); out != "nothing differs\n" {
		t.Error(out)
	}
	fails("what vocabulary default held at", "diff", "7d")
	fails(`has no version "12345678": its history begins`, "rollback", "12345678")
	fails("want VERSION, or --before TIME", "rollback")
	fails("want VERSION, or --before TIME", "rollback", good, "--before", "1h")
	holds(run("rollback", good[:6], "--dry-run"), "would change:\n", "  ~ \"fall\" {\"treshold\":1} -> {\"tags\":[\"care\"]}\n", "  - \"x\\x1b[31m\" (no value)\n")
	holds(run("rollback", good), "label \"fall\" added\n", "vocabulary default: 2 labels, version "+good)
	if out := run("rollback", good, "--dry-run"); out != "nothing would change\n" {
		t.Error(out)
	}
	after := time.Now()
	run("rm", "run")
	holds(run("rollback", "--before", after.Format(time.RFC3339Nano)), "label \"run\" added\n")
	var rows []editRow
	if err := json.Unmarshal([]byte(run("history", "--json")), &rows); err != nil {
		t.Fatal(err)
	}
	if last := rows[len(rows)-1]; last.Version != good || last.Note != "vocab rollback to "+good || len(last.Changes) != 1 || last.Changes[0].Before != nil || *last.Changes[0].After != "" {
		t.Errorf("the last edit: %+v", last)
	}
	run("rm", "--all")
	empty := regexp.MustCompile(`version (\w{16})`).FindStringSubmatch(run("ls"))[1]
	fails("has no labels: to empty the vocabulary on purpose, use `vocab rm --all`", "rollback", empty)
}
