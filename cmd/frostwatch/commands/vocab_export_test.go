package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A backup of everything, brought back after somebody has spoilt it, is the same to
// the byte.
func TestExportAndImport(t *testing.T) {
	s, config := onRedis(t)
	run := func(args ...string) string {
		t.Helper()
		out, ok := command(t, append([]string{"vocab", "--config", config}, args...)...)
		if !ok {
			t.Fatalf("vocab %q: %s", args, out)
		}
		return out
	}
	entries := func() map[string]string { return s.Client.HGetAll(t.Context(), "f:vocab:default").Val() }
	backup := filepath.Join(t.TempDir(), "labels.json")
	s.HSet(t, "f:vocab:default", "fall", ` {"tags" : ["care"], "threshold":0.5}`, "# run", "at \"speed\" <&>", "worse", "{")
	if out := run("export", backup); !strings.Contains(out, "left out: label \"worse\": its value begins with {") || !strings.Contains(out, ": 2 labels written to "+backup+"\n") {
		t.Errorf("got %s", out)
	}
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "worse").Err(); err != nil {
		t.Fatal(err)
	}
	want := entries()
	s.HSet(t, "f:vocab:default", "# run", "{", "FALL", "", "wave", "")
	run("add", "fall", "--description", "hard")
	run("import", backup)
	if got := entries(); got["# run"] != want["# run"] || len(got) != 4 {
		t.Errorf("imported: %q", got)
	}
	if out := run("import", "--replace", backup); !strings.Contains(out, "label \"wave\" removed\n") || !strings.Contains(out, "vocabulary default: 2 labels") {
		t.Errorf("got %s", out)
	}
	if got := entries(); len(got) != 2 || got["# run"] != want["# run"] || got["fall"] != `{"tags":["care"],"threshold":0.5}` {
		t.Errorf("got %q, want %q", got, want)
	}
	if out := run("import", "--replace", backup); !strings.Contains(out, "nothing has changed") {
		t.Errorf("once more: %s", out)
	}
	if exported, read := run("export"), readFile(t, backup); exported != read {
		t.Errorf("exported again: %s\nwas %s", exported, read)
	}
	listed := filepath.Join(t.TempDir(), "listed.json")
	if err := os.WriteFile(listed, []byte(run("ls", "--json")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run("import", "--replace", listed); !strings.Contains(out, "nothing has changed") {
		t.Errorf("the output of ls: %s", out)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("# nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{empty: "there are none in it", "kinetics-700": "there is no file kinetics-700, and no class list is called \"kinetics-700\": there are kinetics-400, kinetics-600, ucf101, hmdb51, ssv2"} {
		if out, ok := command(t, "vocab", "import", "--replace", "--config", config, file); ok || !strings.Contains(out, want) {
			t.Errorf("%s: got %s", file, out)
		}
	}
}

func TestImportOfAClassList(t *testing.T) {
	_, config := onRedis(t)
	for list, want := range map[string]string{"UCF101": "vocabulary default: 101 labels", "kinetics-400": "vocabulary default: 400 labels"} {
		if out, ok := command(t, "vocab", "import", "--replace", "--config", config, list); !ok || !strings.Contains(out, want) {
			t.Errorf("%s: %s", list, out)
		}
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
