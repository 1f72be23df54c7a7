package commands

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/vocab"
)

// command runs a command and returns its output and whether it succeeded.
func command(t *testing.T, args ...string) (out string, ok bool) {
	t.Helper()
	var both bytes.Buffer
	status := Run(t.Context(), Program{Args: args, Out: &both, Err: &both})
	return both.String(), status == 0
}

func TestVocabCommands(t *testing.T) {
	s := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "redis:\n  address: %s\n  prefix: \"f:\"\nrules: [{name: waves, actions: [Wave]}]\n", s.Addr), 0o600); err != nil {
		t.Fatal(err)
	}
	s.HSet(t, "f:rules", "comes", "{absent: wave for 1h}")
	if err := s.Client.HSet(t.Context(), "f:vocab:default", "bad\x1b[31m", "", "worse", "{").Err(); err != nil {
		t.Fatal(err)
	}
	skipped := "  skipped: label \"bad\\x1b[31m\": label has a control character in it\n  skipped: label \"worse\": its value begins with { and is not valid JSON: unexpected end of JSON input (at byte 1)\n"
	for _, c := range []struct {
		args string
		want []string
	}{
		{"add fall", []string{"label \"fall\" added\n", "vocabulary default: 1 label, version ", skipped}},
		{"add fall --tag care", []string{"label \"fall\" changed: (no value) -> {\"tags\":[\"care\"]}\n"}},
		{"add fall --tag care", []string{"nothing has changed\n"}},
		{"add wave", []string{"label \"wave\" added\n", "vocabulary default: 2 labels"}},
		{"ls", []string{"2 labels\n", "fall", `{"tags":["care"]}`, skipped}},
		{"ls --json", []string{"[\n  {\n    \"label\": \"fall\",\n    \"tags\": [\n      \"care\"\n    ]\n  },\n", "\"skipped\": \"label has a control character in it\""}},
		{"add wave --begins still", []string{"! begins and ends need each other"}},
		{"add wave --begins still --ends up", []string{`label "wave" changed: (no value) -> {"begins":"still","ends":"up"}` + "\n"}},
		{"add " + strings.Repeat("x", 257), []string{`! label "xxxxx`, "label of 257 bytes: at most 256"}},
		{"rm wave run", []string{`! not in the vocabulary: "run"; none was removed`}},
		{"rm wave", []string{"label \"wave\" removed\n", `warning: rule waves names "Wave", which the vocabulary default no longer has`, `warning: rule comes names "wave", which`}},
		{"rm jump FALLS", []string{`! not in the vocabulary: "jump", "FALLS" (there is "fall")`}},
		{"rm worse", []string{"vocabulary default: 1 label,"}},
		{"rm bad\x1b[31m", []string{"vocabulary default: 1 label,"}},
		{"rm fall", []string{"! edit vocabulary default: no label would be left: add another first, or empty the vocabulary on purpose with --all"}},
		{"rm", []string{"! want labels to remove, or --all without labels"}},
		{"rm fall --all", []string{"! want labels to remove, or --all without labels"}},
		{"ls --vocabulary other", []string{"no infer worker has it in force: no camera that sends clips uses the vocabulary other"}},
		{"rm --all", []string{"label \"fall\" removed\n", "vocabulary default: 0 labels", "no infer worker has it in force: either none runs, or none has reported it yet\n"}},
	} {
		out, ok := command(t, append([]string{"vocab", "--config", file}, strings.Fields(c.args)...)...)
		for _, want := range c.want {
			text, fails := strings.CutPrefix(want, "! ")
			if !strings.Contains(out, text) || fails && ok {
				t.Errorf("vocab %s: got %v\n%s\nwant %q", c.args, ok, out, want)
			}
		}
	}
}

// `up` may run with another configuration than the one in the data directory, and
// has its own Redis, with one database and no password.
// What makes a vocabulary unreadable can be removed.
func TestVocabCommandsRemoveFromWhatCanNotBeRead(t *testing.T) {
	s := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "redis:\n  address: %s\n  prefix: \"f:\"\n", s.Addr), 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 9<<20)
	if err := s.Client.HSet(t.Context(), "f:vocab:default", "fall", "", "one", long, "two", long, "three", long).Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, want string
		ok         bool
	}{
		{"add wave", "4 labels of ", false},
		{"rm one", "edited, but it still can't be read: vocabulary default: 3 labels of ", false},
		{"rm two", "vocabulary default: 1 label, version ", true},
		{"rm three", "vocabulary default: 1 label, version ", true},
	} {
		if out, ok := command(t, append([]string{"vocab", "--config", file}, strings.Fields(c.args)...)...); ok != c.ok || !strings.Contains(out, c.want) {
			t.Errorf("vocab %s: got %v\n%.300s\nwant %q", c.args, ok, out, c.want)
		}
	}
	if err := s.Client.Set(t.Context(), "f:vocab:default", "no hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if out, ok := command(t, "vocab", "--config", file, "rm", "--all"); !ok || !strings.Contains(out, "vocabulary default: 0 labels") {
		t.Errorf("rm --all: %v\n%s", ok, out)
	}
}

func TestVocabCommandsEditWhatUpWatches(t *testing.T) {
	s, data := redistest.Start(t), t.TempDir()
	for name, text := range map[string]string{
		"pipeline.yaml":  "redis:\n  database: 1\n  password: \"${NOT_SET_HERE}\"\n  prefix: \"other:\"\n",
		"endpoints.json": fmt.Sprintf(`{"kafka":"127.0.0.1:1","redis":%q,"names":{"kafka_prefix":"k.","redis_prefix":"r:","vocabulary":"night"}}`, s.Addr),
	} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, ok := command(t, "vocab", "add", "fall", "--data", data); !ok {
		t.Fatal(out)
	}
	if !s.Client.HExists(t.Context(), "r:vocab:night", "fall").Val() {
		t.Errorf("keys %q", s.Client.Keys(t.Context(), "*").Val())
	}
	cfg, err := (&target{data: data}).load()
	if err != nil || cfg.Kafka.Prefix != "k." {
		t.Errorf("topics begin with %q, %v", cfg.Kafka.Prefix, err)
	}
}

// Only infer knows which labels the model can't take.
func TestVocabCommandsSayWhatIsInForce(t *testing.T) {
	s := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "redis:\n  address: %s\n", s.Addr), 0o600); err != nil {
		t.Fatal(err)
	}
	store := vocab.NewStore(s.Client, "frostwatch:")
	if out, ok := command(t, "vocab", "add", "fall", "--config", file); !ok {
		t.Fatal(out)
	}
	v, err := store.List(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	force := vocab.InForce{Model: "m1", Version: v.Version, Labels: 1, Skipped: []string{"label \"endless\": 99 tokens"}, SkippedTotal: 12}
	if err := store.Announce(t.Context(), "default", force); err != nil {
		t.Fatal(err)
	}
	if out, _ := command(t, "vocab", "ls", "--config", file); !strings.Contains(out, "in force: model m1 recognises 1 label\n  skipped: label \"endless\": 99 tokens\n  and 11 more skipped\n") {
		t.Error(out)
	}
	if out, _ := command(t, "vocab", "add", "wave", "--config", file); !strings.Contains(out, "not in force yet: model m1 still has version "+v.Version) {
		t.Error(out)
	}
	after, err := store.List(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	force.Pending = &vocab.Pending{Version: after.Version, Embedded: 3, Texts: 19_900}
	if err := store.Announce(t.Context(), "default", force); err != nil {
		t.Fatal(err)
	}
	none := vocab.InForce{Model: "m2", Pending: &vocab.Pending{Version: "older", Embedded: 1, Texts: 2}}
	if err := store.Announce(t.Context(), "default", none); err != nil {
		t.Fatal(err)
	}
	if out, _ := command(t, "vocab", "ls", "--config", file); !strings.Contains(out, "not in force yet: model m1 still has version "+v.Version+", and has embedded 3 of 19900 new texts so far\n"+
		"not in force yet: model m2 has no version in force yet, and has embedded 1 of 2 new texts of version older so far\n") {
		t.Errorf("an edit that is being embedded: %s", out)
	}
	if err := s.Client.Del(t.Context(), "frostwatch:vocab:default").Err(); err != nil {
		t.Fatal(err)
	}
	if out, _ := command(t, "vocab", "ls", "--config", file); !strings.Contains(out, "not in force: ") || !strings.Contains(out, "keeps 1 label of version "+v.Version+", and has embedded 3 of 19900 new texts of version "+after.Version+" so far. Add labels again") {
		t.Errorf("a lost vocabulary: %s", out)
	}
	out, _ := command(t, "vocab", "rm", "--all", "--config", file)
	if strings.Contains(out, "nothing has changed") || !strings.Contains(out, "Redis held no labels, but workers still had 1 label in force: these are removed\n") {
		t.Errorf("a lost vocabulary is emptied: %s", out)
	}
}
