package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/vocab"
)

// Advice is given where people edit, and refuses nothing.
func TestVocabLint(t *testing.T) {
	_, config := onRedis(t)
	file := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(file, []byte("person faling down\nsitting\tPerson klettert über den Zaun\nwalking\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spelling := "advice: label \"person faling down\", label: the model does not know the word \"faling\": was \"falling\" meant?\n"
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"lint"}, []string{"0 labels: no advice\n"}},
		{[]string{"lint", file}, []string{spelling, "advice: label \"sitting\", description: most of its words are unknown to the model"}},
		{[]string{"add", "person not wearing a helmet"}, []string{"label \"person not wearing a helmet\" added\n", "advice: label \"person not wearing a helmet\", label: \"not\" is hardly taken into account"}},
		{[]string{"import", file}, []string{"vocabulary default: 4 labels", spelling}},
		{[]string{"add", "loitering", "--description", strings.Repeat("standing around ", 50)}, []string{"label \"loitering\", description: it is skipped: with the words that are put around it, it is longer than the 77 tokens"}},
		{[]string{"ls"}, []string{"advice on 4 labels: see `frostwatch vocab lint`\n"}},
		{[]string{"lint", "--json"}, []string{"\"label\": \"person faling down\",\n    \"column\": \"label\",\n    \"advice\": \"the model does not know"}},
	} {
		out, ok := command(t, append([]string{"vocab", "--config", config}, c.args...)...)
		for _, want := range c.want {
			if !ok || !strings.Contains(out, want) {
				t.Errorf("vocab %q: got %s\nwant %q", c.args, out, want)
			}
		}
	}
}

// Advice that is wrong is not read. The classes of data sets are written with care;
// nearly all of the advice on them is on negations.
func TestAdviceOnClassListsIsRare(t *testing.T) {
	reader, err := labelReader()
	if err != nil {
		t.Fatal(err)
	}
	classes, wrong := 0, 0
	for _, name := range eval.BuiltIn() {
		labels, err := classLabels(name)
		if err != nil {
			t.Fatal(err)
		}
		classes += len(labels)
		for _, a := range vocab.Lint(labels, labels, reader) {
			if !strings.Contains(a.Text, "hardly taken into account") {
				wrong++
				t.Log(a)
			}
		}
	}
	if 50*wrong > classes {
		t.Errorf("advice on %d of %d classes", wrong, classes)
	}
}

// Labels of which only the model knows that they say the same are found while an infer
// worker runs, and the others by their words after it has ended.
func TestVocabLintAsksTheModel(t *testing.T) {
	s := serve(t, fakeModel{like: map[string]string{"somebody topples": "person falling"}},
		"person falling", "", "somebody topples", "", "walking", "", "a person walks", "", "endless", "")
	out, ok := s.run(t, "vocab", "lint")
	if want := "advice: label \"person falling\", label: to the model it says nearly the same as \"somebody topples\" (cosine "; !ok || !strings.Contains(out, want) || strings.Contains(out, "walk") {
		t.Errorf("with the model: %s\nwant %s", out, want)
	}
	s.stop()
	if n, err := s.redis.Client.Del(t.Context(), "f:vocab-in-force:default").Result(); err != nil || n == 0 {
		t.Fatalf("what is in force is announced under another key: %v", err)
	}
	out, ok = s.run(t, "vocab", "lint")
	if want := "it has the same words as \"walking\""; !ok || !strings.Contains(out, want) || strings.Contains(out, "topples") {
		t.Errorf("without: %s\nwant %s", out, want)
	}
}

// How much of a label is read depends on the model that runs.
func TestLabelsThatTheModelCutsAreNamed(t *testing.T) {
	long := "person staying near the same place for several minutes along some garden wall while other people walk by on their way home from work there"
	s := serve(t, fakeModel{reads: vocab.Reads{Tokens: 32, Template: "a demonstration of a person practicing {label}. {description}", Cuts: true}}, "walking", "", long, "")
	file := filepath.Join(t.TempDir(), "labels.txt")
	write(t, file, "walking\n"+long+"\n")
	want := "advice: label \"" + long + "\", label: the model reads 32 tokens, and this text with what is put around it has more: it is cut after \"work\": make it shorter\n"
	for _, args := range [][]string{{"vocab", "lint"}, {"vocab", "lint", file}} {
		if out, ok := s.run(t, args...); !ok || out != want {
			t.Errorf("%q: %s\nwant %s", args, out, want)
		}
	}
	want = strings.Replace(want, "person staying", "somebody staying", 1)
	if out, ok := s.run(t, "watch", strings.Replace(long, "person staying", "somebody staying", 1)); !ok || !strings.Contains(out, want) {
		t.Errorf("watch: %s\nwant %s", out, want)
	}
}
