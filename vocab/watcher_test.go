package vocab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

const quick = 50 * time.Millisecond // between looks

func TestEditsByAnyoneAreSeen(t *testing.T) {
	s := redistest.Start(t)
	w := watch(t, s, quick)
	w.awaitHealth(t, "vocabulary default has no labels yet (Redis key f:vocab:default): nothing is recognised")
	if w.labels() != nil {
		t.Error("an empty vocabulary is current")
	}
	set(t, s, "fall", "", "run", "at speed")
	w.awaitLabels(t, "fall", "run")
	set(t, s, "broken", "{")
	stagetest.Await(t, "the broken label", func() bool { v, _ := w.Current(); return len(v.Problems) == 1 && v.Problems[0].Label == "broken" })
	if got := w.labels(); !slices.Equal(got, []string{"fall", "run"}) {
		t.Errorf("a broken label left %q", got)
	}
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "fall").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "run")
	set(t, s, "run", `{"tags":["sport"]}`)
	stagetest.Await(t, "the tag", func() bool { v, _ := w.Current(); return slices.Equal(v.Labels[0].Tags, []string{"sport"}) })
}

func TestAStoresEditIsNotPolledFor(t *testing.T) {
	s := redistest.Start(t)
	w := watch(t, s, time.Hour)
	w.awaitHealth(t, "has no labels yet")
	stagetest.Await(t, "the subscription", func() bool {
		return s.Client.PubSubNumSub(t.Context(), "f:vocab-edited").Val()["f:vocab-edited"] == 1
	})
	store := NewStore(s.Client, "f:")
	if err := store.Put(t.Context(), "default", Label{Name: "fall"}, Label{Name: "run"}); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "fall", "run")
	if _, err := store.Remove(t.Context(), "default", "run"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "fall")
	if err := store.Clear(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
}

func TestRedisKilledAndBack(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "fall", "")
	w := watch(t, s, quick)
	w.awaitLabels(t, "fall")
	w.awaitHealth(t, "")
	s.Kill()
	w.awaitHealth(t, "look at vocabulary default")
	w.awaitHealth(t, "look at vocabulary default")
	if n := stagetest.Counts(t, w.reader)["frostwatch.vocabulary.last_reload_successful"]; n != 0 {
		t.Errorf("without Redis the gauge of the last reload is %d", n)
	}
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("without Redis %q serve", got)
	}
	s.Restart()
	set(t, s, "fall", "", "run", "")
	w.awaitLabels(t, "fall", "run")
	w.awaitHealth(t, "")
	stagetest.Await(t, "the gauges to say that the newest content is in force", func() bool {
		got := stagetest.Counts(t, w.reader)
		return got["frostwatch.vocabulary.last_reload_successful"] == 1 && time.Since(time.Unix(got["frostwatch.vocabulary.last_reload_success_timestamp"], 0)) < time.Minute
	})
	for text, want := range map[string]int{"the one that was read before is kept": 1, "up to date again": 1} {
		if n := w.log.Count(text); n != want {
			t.Errorf("%q is logged %d times, want %d", text, n, want)
		}
	}
}

func TestOptionsAreRequired(t *testing.T) {
	if _, err := NewWatcher(WatcherOptions{}); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("got %v", err)
	}
}
