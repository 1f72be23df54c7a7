package scoring

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/vocab"
)

// warnings are those that hold.
type warnings struct {
	mu    sync.Mutex
	parts map[string]string
}

func (w *warnings) note(part string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.parts, part); err != nil {
		w.parts[part] = err.Error()
	}
}

func (w *warnings) of(part string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parts[part]
}

func (w *warnings) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.parts)
}

// A label that can't be used is warned of, whoever finds that, until it is mended
// or removed.
func TestLabelsThatAreSkippedAreWarnings(t *testing.T) {
	s, held := redistest.Start(t), &warnings{parts: map[string]string{}}
	edits := make(chan []vocab.Change, 10)
	set(t, s, "run", "", "falling down", "")
	w := watch(t, s, setup{OnWarning: held.note, OnEdit: func(c []vocab.Change) { edits <- c }})
	w.awaitLabels(t, "falling down", "run")
	set(t, s, "falling down", `{"treshold":0.9}`, "endless", "")
	await(t, "both are warned of", func() bool {
		return strings.Contains(held.of("label falling down"), `unknown key "treshold"`) && strings.Contains(held.of("label endless"), "99 tokens")
	})
	for _, c := range <-edits {
		if c.What != vocab.Skipped || c.Why == "" {
			t.Errorf("the edit is said to be %+v", c)
		}
	}
	set(t, s, "falling down", `{"threshold":0.9}`)
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "endless").Err(); err != nil {
		t.Fatal(err)
	}
	await(t, "no warning is left", func() bool { return held.count() == 0 })
	var many []string
	for i := range maxWarnings + 7 {
		many = append(many, fmt.Sprintf("broken %d", i), "{"+strings.Repeat("x", 2000))
	}
	set(t, s, many...)
	await(t, "a count of those beyond the bound", func() bool { return strings.HasPrefix(held.of("labels"), "7 more are skipped") })
	if n := held.count(); n != maxWarnings+1 {
		t.Errorf("%d warnings", n)
	}
}
