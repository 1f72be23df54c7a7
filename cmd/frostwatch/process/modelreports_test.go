package process

import (
	"errors"
	"maps"
	"testing"
)

// What a model skips is reported while that model serves; what its successor
// skips as well stays reported.
func TestWarningsOfAModelGoWithIt(t *testing.T) {
	out := newReporter()
	old := &modelReports{Reporter: out, inForce: true, warnings: map[string]error{}}
	next := &modelReports{Reporter: out, warnings: map[string]error{}}
	for _, label := range []string{"label broken", "label too long", "label mended"} {
		old.Warning(label, errors.New("skipped"))
	}
	old.Warning("label mended", nil)
	next.Warning("label broken", errors.New("skipped"))
	next.Warning("label odd", errors.New("skipped"))
	next.Problem("embeddings", errors.New("not yet"))
	check := func(want map[string]string) {
		t.Helper()
		if now := out.look(); !maps.Equal(now.Warnings, want) || len(now.Problems) > 0 {
			t.Errorf("reported are %v and %v, want %v", now.Warnings, now.Problems, want)
		}
	}
	check(map[string]string{"label broken": "skipped", "label too long": "skipped"})
	next.replace(old)
	check(map[string]string{"label broken": "skipped", "label odd": "skipped"})
	old.Warning("label too long", errors.New("skipped"))
	check(map[string]string{"label broken": "skipped", "label odd": "skipped"})
}
