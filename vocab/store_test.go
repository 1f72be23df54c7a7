package vocab

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
)

func TestStore(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	list := func() []string {
		t.Helper()
		v, err := store.List(ctx, "default")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range v.Labels {
			names = append(names, l.Name)
		}
		return names
	}
	if got := list(); len(got) != 0 {
		t.Errorf("a vocabulary that does not exist has %q", got)
	}
	if err := store.Put(ctx, "default", Label{Name: " a "}, Label{Name: "b", Description: "words"}); err != nil {
		t.Fatal(err)
	}
	if got := list(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	if err := store.Put(ctx, "default", Label{Name: "c"}, Label{Name: "bad", Threshold: 2}); err == nil || !strings.Contains(err.Error(), `label "bad": threshold 2`) {
		t.Errorf("got %v", err)
	}
	if got := list(); slices.Contains(got, "c") {
		t.Error("one of two was put")
	}
	// Someone else wrote a field with blanks around it.
	set(t, s, " d  ", "")
	absent, err := store.Remove(ctx, "default", "d", "e", "a ")
	if err != nil || !slices.Equal(absent, []string{"e"}) {
		t.Errorf("absent %q, %v", absent, err)
	}
	if got := list(); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Errorf("left are %q, though one was not there", got)
	}
	if absent, err = store.Remove(ctx, "default", "d", "a "); err != nil || len(absent) != 0 {
		t.Errorf("absent %q, %v", absent, err)
	}
	if got := list(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("left are %q", got)
	}
	if _, err := store.Remove(ctx, "default"); err == nil || !strings.Contains(err.Error(), "no labels to remove were given") {
		t.Errorf("got %v", err)
	}
}

func TestAFieldWithoutBlanksCounts(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, " a", "old", "a", "new", "a ", "older", "b", "{")
	v, err := NewStore(s.Client, "f:").List(t.Context(), "default")
	if err != nil || len(v.Labels) != 1 || v.Labels[0].Description != "new" {
		t.Fatalf("got %+v, %v", v, err)
	}
	var problems []string
	for _, p := range v.Problems {
		problems = append(problems, p.String())
	}
	want := []string{`label "a ": duplicate of the label "a": they differ only by white space`, `label " a": duplicate of the label "a": they differ only by white space`, `label "b": its value begins with { and is not valid JSON: unexpected end of JSON input (at byte 1)`}
	if !slices.Equal(problems, want) {
		t.Errorf("got %q", problems)
	}
}

func TestVersion(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	version := func(name string, pairs ...string) string {
		t.Helper()
		for pair := range slices.Chunk(pairs, 2) {
			if err := s.Client.HSet(ctx, "f:vocab:"+name, pair).Err(); err != nil {
				t.Fatal(err)
			}
		}
		v, err := store.List(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return v.Version
	}
	first := version("one", "a", "x", "b", "y", "c", "")
	if other := version("two", "c", "", "b", "y", "a", "x"); other != first {
		t.Errorf("%s and %s: the order counts", first, other)
	}
	seen := map[string]string{first: "one"}
	for name, pairs := range map[string][]string{
		"another value": {"a", "x", "b", "z", "c", ""},
		"one less":      {"a", "x", "b", "y"},
		"moved":         {"a", "", "b", "y", "cx", ""},
		"broken":        {"a", "x", "b", "y", "c", "{"},
		"shifted":       {"ax", "", "b", "y", "c", ""},
	} {
		v := version(name, pairs...)
		if seen[v] != "" {
			t.Errorf("%s has the version of %s", name, seen[v])
		}
		seen[v] = name
	}
}

func TestALargeVocabularyIsRefusedUnread(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	w := watch(t, s, quick)
	set(t, s, "kept", "")
	w.awaitLabels(t, "kept")
	var pairs []string
	for i := range maxLabels - 1 {
		pairs = append(pairs, fmt.Sprintf("label %d", i), "")
	}
	// Unseen by the watcher, which would embed them all.
	if err := s.Client.HSet(ctx, "f:vocab:large", pairs).Err(); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(ctx, "large", Label{Name: "last"}); err != nil {
		t.Errorf("the last one that fits: %v", err)
	}
	if err := store.Put(ctx, "large", Label{Name: "last", Description: "other words"}); err != nil {
		t.Errorf("another value in a full vocabulary: %v", err)
	}
	const refusal = "20001 labels, at most 20000"
	if err := store.Put(ctx, "large", Label{Name: "last"}, Label{Name: "one more"}); err == nil || !strings.Contains(err.Error(), refusal) {
		t.Errorf("got %v", err)
	}
	if err := s.Client.HSet(ctx, "f:vocab:large", "one more", "").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Client.Copy(ctx, "f:vocab:large", "f:vocab:default", 0, true).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Client.Do(ctx, "CONFIG", "RESETSTAT").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth(t, refusal)
	if _, err := store.List(ctx, "large"); err == nil || !strings.Contains(err.Error(), refusal) {
		t.Errorf("got %v", err)
	}
	if stats := s.Client.Info(ctx, "commandstats").Val(); strings.Contains(stats, "cmdstat_hgetall:") {
		t.Error("it was read nevertheless")
	}
	if !slices.Equal(w.labels(), []string{"kept"}) {
		t.Errorf("%d labels are in force", len(w.labels()))
	}
	if absent, err := store.Remove(ctx, "large", "one more"); err != nil || len(absent) != 0 {
		t.Errorf("absent %q, %v", absent, err)
	}
	if n := s.Client.HLen(ctx, "f:vocab:large").Val(); n != maxLabels {
		t.Errorf("%d labels after one was removed", n)
	}
}

// The lines of a JSON file would become labels such as `"action": "box",`.
func TestJSONIsNoFileOfLabels(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"action\": \"box\",\n": "line 1: this looks like JSON",
		"\n[\n  \"box\",\n]\n":        "line 2: this looks like JSON",
		"box\n\"run\",\n}\n":          "line 2: a label that begins with",
		"box\t{\"tags\":[\"a\"]}\n":   "",
	} {
		_, err := ReadLabels(strings.NewReader(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
