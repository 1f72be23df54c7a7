package infer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// words is a matrix of labels that each have an axis of their own; those that begin
// with "like fall" lie close to fall.
func words(t *testing.T, version string, labels ...string) *scoring.Matrix {
	t.Helper()
	var list []vocab.Label
	vectors := map[string][]float32{}
	for i, name := range labels {
		list = append(list, vocab.Label{Name: name})
		v := make([]float32, 8)
		if v[i] = 1; strings.HasPrefix(name, "like fall") {
			v = make([]float32, 8)
			v[0] = 1
		}
		vectors[name] = v
	}
	m, err := scoring.NewMatrix("default", list, vectors)
	if err != nil {
		t.Fatal(err)
	}
	m.Version = version
	return m
}

// Synonyms halve a score, and an alert that came every time comes no more: whoever
// edits the vocabulary must hear of it.
func TestARuleWhoseScoreSinksIsReported(t *testing.T) {
	reports := stagetest.NewReports()
	s := newSunk(reports)
	rules := []scoreRule{{"fall", .7, scoring.NewWatched([]string{"Fall"}, nil, false), nil}}
	clip := []float32{.9, .1, 0, 0, 0, 0, 0, 0}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	see := func(m *scoring.Matrix, clip []float32) {
		at = at.Add(2 * time.Second)
		s.note(topics.Recognition{Camera: "ward", Model: "m", End: at, Embedding: clip, LogitScale: 20, Labels: m.Score(scoring.Clip{Mean: clip}, 20, 3, rules[0].watch).Labels}, rules, m, false)
	}
	warning := func() string {
		err := reports.WarningOf("score of rule fall")
		return strings.TrimPrefix(fmt.Sprint(err), "<nil>")
	}
	plain := words(t, "v1", "fall", "walk", "run")
	see(plain, clip)
	see(plain, []float32{.1, .9, 0, 0, 0, 0, 0, 0})
	if got := warning(); got != "" {
		t.Errorf("before any edit: %s", got)
	}
	see(words(t, "v2", "fall", "walk", "run", "climb"), []float32{0, 1, 0, 0, 0, 0, 0, 0})
	if got := warning(); got != "" {
		t.Errorf("an unrelated label: %s", got)
	}
	see(words(t, "v3", "fall", "walk", "run", "like fall, too"), []float32{0, 1, 0, 0, 0, 0, 0, 0})
	if got := warning(); !strings.Contains(got, `"fall" on camera ward`) || !strings.Contains(got, "had a score of 1.00 and has 0.50") || !strings.Contains(got, "raises at 0.70") {
		t.Errorf("a synonym: %q", got)
	}
	see(words(t, "v4", "walk", "run"), clip)
	if got := warning(); got != "" {
		t.Errorf("the label is gone, which is reported elsewhere: %s", got)
	}
	see(words(t, "v3", "fall", "walk", "run", "like fall, too"), []float32{0, 1, 0, 0, 0, 0, 0, 0})
	if warning() == "" {
		t.Error("no warning the second time")
	}
	see(plain, clip)
	if got := warning(); got != "" {
		t.Errorf("the edit was taken back: %s", got)
	}
	see(words(t, "v3", "fall", "walk", "run", "like fall, too"), clip)
	s.forget(func(string) bool { return false })
	if got := warning(); got != "" {
		t.Errorf("the rule is gone: %s", got)
	}
}
