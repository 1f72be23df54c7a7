package scoring

import (
	"fmt"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

// There is a warning about a label that can't be used, whether its value is broken
// or the model refuses it, until it is corrected or removed.
func TestLabelsThatAreSkippedAreWarnings(t *testing.T) {
	s := redistest.Start(t)
	edits := make(chan []vocab.Change, 10)
	set(t, s, "run", "", "falling down", "")
	w := watch(t, s, setup{OnEdit: func(c []vocab.Change) { edits <- c }})
	w.awaitLabels(t, "falling down", "run")
	set(t, s, "falling down", `{"treshold":0.9}`, "endless", "")
	stagetest.Await(t, "both are warned of", func() bool {
		return strings.Contains(w.warning(`label "falling down"`), `skipped: its value has an unknown key "treshold"`) && strings.Contains(w.warning(`label "endless"`), "99 tokens")
	})
	for _, c := range <-edits {
		if c.What != vocab.Skipped || c.Why == "" {
			t.Errorf("the edit is reported as %+v", c)
		}
	}
	set(t, s, "falling down", `{"threshold":0.9}`)
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "endless").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "no warning is left", func() bool { return w.reports.Warnings() == 0 })
	var many []string
	for i := range maxWarnings + 7 {
		many = append(many, fmt.Sprintf("broken %d", i), "{"+strings.Repeat("x", 2000))
	}
	set(t, s, many...)
	stagetest.Await(t, "a count of those beyond the bound", func() bool { return strings.HasPrefix(w.warning("labels"), "7 more of vocabulary default are skipped") })
	if n := w.reports.Warnings(); n != maxWarnings+1 {
		t.Errorf("%d warnings", n)
	}
}

// warning is the text of the current warning about a part, or "".
func (w *watched) warning(part string) string {
	if err := w.reports.WarningOf(part); err != nil {
		return err.Error()
	}
	return ""
}
