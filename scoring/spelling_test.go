package scoring

import (
	"reflect"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// "FALLING DOWN" beside "falling down" once halved the score of both, and the
// fall's alert was gone.
func TestAnotherSpellingLeavesTheScoresAsTheyWere(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "falling down", "", "walking", `{"background":true}`, "fighting", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "falling down", "fighting", "walking")
	clip := vectorOf("falling down")
	before := w.Current().Score(Clip{Mean: clip}, 14.3, 10, nil)
	for _, spelling := range []string{"FALLING DOWN", "Falling down", "falling  down", "falling\u00a0down", " falling down"} {
		version := w.Current().Version
		set(t, s, spelling, "")
		stagetest.Await(t, "the edit is in force", func() bool { return w.Current().Version != version })
		if after := w.Current().Score(Clip{Mean: clip}, 14.3, 10, nil); !reflect.DeepEqual(after, before) {
			t.Errorf("%q beside it: got %+v, want %+v", spelling, after, before)
		}
		if p := w.Current().Problems; len(p) == 0 {
			t.Errorf("%q is no problem", spelling)
		}
	}
}
