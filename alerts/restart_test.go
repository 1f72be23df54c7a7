package alerts

import (
	"slices"
	"testing"
	"time"
)

// A worker that starts over at any clip, knowing what is published by then or
// anything later, ends where one does that never stopped.
func TestReplayAddsNothing(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 3}, Cooldown: 5 * time.Second}
	scores := []float64{.9, .9, .1, .1, .1, .9, .9, .9, .9, .1, .9, .1, .1, .1, .1, .1, .9, .9, .1, .9}
	_, want := play(newEngine(t, rule), t0, 0, scores...)
	if len(want) != 5 {
		t.Fatalf("the example has %d events", len(want))
	}
	for committed := range scores {
		for last := committed; last <= len(scores); last++ {
			again := newEngine(t, rule)
			ids := map[string]bool{}
			for _, a := range want {
				if a.At.Before(clipAt(t0, last).End) {
					again.Restore(a)
					ids[a.EventID()] = true
				}
			}
			for i := range committed {
				again.Warm(clipAt(t0, i, fall(scores[i])))
			}
			_, more := play(again, t0, committed, scores[committed:]...)
			for _, a := range more {
				if ids[a.EventID()] {
					t.Errorf("committed %d, published up to %d: %s again", committed, last, a.EventID())
				}
				ids[a.EventID()] = true
			}
			for _, a := range want {
				if !ids[a.EventID()] {
					t.Errorf("committed %d, published up to %d: %s is missing", committed, last, a.EventID())
				}
				delete(ids, a.EventID())
			}
			if len(ids) > 0 {
				t.Errorf("committed %d, published up to %d: %v are new", committed, last, ids)
			}
		}
	}
}

func TestAnIDIsNotUsedAgainAfterARestart(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{1, 3}}
	live := newEngine(t, rule)
	_, raised := play(live, t0, 0, .9)
	cleared := tick(live, t0, 2*time.Minute)
	again := newEngine(t, rule)
	again.Restore(raised[0])
	again.Restore(cleared[0])
	again.Warm(clipAt(t0, 0, fall(.9)))
	if got, alerts := play(again, t0, 60, .9); !slices.Equal(got, []string{"raised 60-60"}) || alerts[0].ID == raised[0].ID {
		t.Errorf("got %q, %+v", got, alerts)
	}
}

func TestARestoredAlertOutlivesAnEmptyWindow(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 3}}
	_, raised := play(newEngine(t, rule), t0, 0, .9, .9)
	again := newEngine(t, rule)
	again.Restore(raised[0])
	if got, _ := play(again, t0, 2, .1, .1, .1); !slices.Equal(got, []string{"cleared 4"}) {
		t.Errorf("got %q", got)
	}
	// Nothing of the camera has been seen: its clear says what the raise did.
	again = newEngine(t, rule)
	again.Restore(raised[0])
	if got := tick(again, t0, 2*time.Minute); len(got) != 1 || got[0].Camera != "lobby" || !got[0].At.Equal(raised[0].At) || got[0].ID != raised[0].ID {
		t.Errorf("got %+v", got)
	}
}
