package commands

import (
	"maps"
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
	for file, want := range map[string]string{empty: "there are none in it", "kinetics-70": "there is no file kinetics-70, and no class list is called \"kinetics-70\": there are kinetics-400, kinetics-600, kinetics-700, ucf101, hmdb51, ssv2"} {
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

// A backup of labels in any script, with all that may belong to them, makes the same
// version in another vocabulary.
func TestABackupMakesTheSameVersionElsewhere(t *testing.T) {
	s, config := onRedis(t)
	s.HSet(t, "f:vocab:default",
		"person sits down", `{"description":"on a \"chair\" or \\bench","aliases":["takes a seat","座る"],"tags":["care","κ"],"background":true,"threshold":0.25,"begins":"stands","ends":"sits"}`,
		"человек падает", "", "人が倒れる", "床に", "שני אנשים", "", "👩‍🔧 at work", "", "# not a comment", "<b>&amp;</b>", "a\u00a0b", "", "[x]", "")
	backup := filepath.Join(t.TempDir(), "labels.json")
	version := func(args ...string) string {
		t.Helper()
		out, ok := command(t, append([]string{"vocab", "--config", config}, args...)...)
		_, after, _ := strings.Cut(out, "version ")
		if !ok || after == "" {
			t.Fatalf("vocab %q: %s", args, out)
		}
		return strings.TrimRight(strings.Fields(after)[0], ",:")
	}
	want := version("export", backup)
	if got := version("import", backup, "--vocabulary", "other"); got != want {
		t.Errorf("version %s, was %s: %q\nwas %q", got, want, s.Client.HGetAll(t.Context(), "f:vocab:other").Val(), s.Client.HGetAll(t.Context(), "f:vocab:default").Val())
	}
	if n := s.Client.HLen(t.Context(), "f:vocab:other").Val(); n != 8 {
		t.Errorf("%d labels", n)
	}
}

// A backup that was damaged changes nothing, and the error says where it is wrong.
func TestADamagedBackupChangesNothing(t *testing.T) {
	s, config := onRedis(t)
	s.HSet(t, "f:vocab:default", "fall", `{"tags":["care"],"threshold":0.5}`, "wave", "with both hands", "run", "")
	backup := filepath.Join(t.TempDir(), "labels.json")
	if out, ok := command(t, "vocab", "--config", config, "export", backup); !ok {
		t.Fatal(out)
	}
	sound := readFile(t, backup)
	before := s.Client.HGetAll(t.Context(), "f:vocab:default").Val()
	for name, c := range map[string]struct{ text, want string }{
		"cut":                 {sound[:len(sound)/2], "line 1: this looks like JSON"},
		"without its end":     {strings.TrimSuffix(sound, "]\n"), "line 1: this looks like JSON"},
		"without its start":   {strings.TrimPrefix(sound, "[\n"), "line 1: this looks like JSON"},
		"a quote is lost":     {strings.Replace(sound, `"fall"`, `fall"`, 1), "line 1: this looks like JSON"},
		"no list":             {strings.Replace(sound, `["care"]`, `"care"`, 1), `object 1: label "fall"`},
		"a key is misspelt":   {strings.Replace(sound, `"tags"`, `"tag"`, 1), `object 1: label "fall"`},
		"a wrong number":      {strings.Replace(sound, "0.5", "50", 1), `object 1: label "fall": threshold 50: want 0 to 1`},
		"a label is lost":     {strings.Replace(sound, `"label":"wave",`, ``, 1), `object 3: want a key "label" with a text`},
		"a label is a number": {strings.Replace(sound, `"label":"wave"`, `"label":7`, 1), `object 3: want a key "label" with a text`},
		"a label is empty":    {strings.Replace(sound, `"label":"wave"`, `"label":" "`, 1), `object 3: label " ": label is empty`},
		"a control character": {strings.Replace(sound, `"wave"`, `"wa\u0007ve"`, 1), "object 3: label"},
		"two of one label":    {strings.Replace(sound, `"wave"`, `"FALL"`, 1), `label "fall" is listed a second time as "FALL"`},
		"two values of one":   {strings.Replace(sound, `"wave"`, `"fall"`, 1), `label "fall" is listed twice with different values`},
		"compressed":          {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b", "line 1: "},
		"zeroes":              {strings.Repeat("\x00", 4096), "line 1: "},
		"another file":        {"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "line 2: "},
		"nothing":             {"", "there are none in it"},
		"an empty list":       {"[]", "there are none in it"},
	} {
		if c.text == sound {
			t.Fatalf("%s: it is not damaged", name)
		}
		write(t, backup, c.text)
		for _, args := range [][]string{{"import", backup}, {"import", "--replace", backup}} {
			out, ok := command(t, append([]string{"vocab", "--config", config}, args...)...)
			if ok || !strings.Contains(out, c.want) || !strings.Contains(out, "import labels from "+backup) {
				t.Errorf("%s: got %v, %s\nwant %s", name, ok, out, c.want)
			}
		}
	}
	if got := s.Client.HGetAll(t.Context(), "f:vocab:default").Val(); !maps.Equal(got, before) {
		t.Errorf("the vocabulary is %q, was %q", got, before)
	}
	write(t, backup, sound)
	if out, ok := command(t, "vocab", "--config", config, "import", "--replace", backup); !ok || !strings.Contains(out, "nothing has changed") {
		t.Errorf("the sound backup: %s", out)
	}
}
