package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestACameraThatSendsNothingIsCleared(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Cooldown: time.Minute, Clips: ClipsRule{1, 3}})
	play(e, t0, 0, .9, .9)
	if got := tick(e, t0, time.Minute); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	got := tick(e, t0.Add(time.Minute), time.Minute)
	if len(got) != 1 || got[0].Reason != "no clip for 1m0s" || !got[0].At.Equal(clipAt(t0, 1).End) || got[0].Label != "fall" {
		t.Errorf("got %+v", got)
	}
	if len(e.Open()) != 0 || len(tick(e, t0.Add(2*time.Minute), time.Hour)) != 0 {
		t.Error("cleared twice")
	}
	// The cooldown is over a minute after the end of clip 1, at the end of clip 31.
	if got, _ := play(e, t0, 30, .9, .9); !slices.Equal(got, []string{"raised 30-31"}) {
		t.Errorf("after the clear: %q", got)
	}
}

// A camera whose clips are half an hour apart is not away between two of them.
func TestASlowCameraIsGivenThreeStrides(t *testing.T) {
	const stride = 30 * time.Minute
	slow := func(i int, sequence uint64) topics.Recognition {
		rec := clipAt(t0, 0, fall(.9))
		rec.ClipID, rec.Sequence = fmt.Sprint(i), sequence
		rec.Start = t0.Add(time.Duration(i) * stride)
		rec.End = rec.Start.Add(4 * time.Second)
		return rec
	}
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}})
	e.Evaluate(slow(0, 0))
	e.Evaluate(slow(3, 3)) // two were lost
	if got := tick(e, t0, 3*stride); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	if got := tick(e, t0.Add(3*stride), time.Minute); len(got) != 1 || got[0].Reason != "no clip for 1h30m0s" {
		t.Errorf("got %+v", got)
	}
}

func TestTimeWithoutTicksIsNoSilence(t *testing.T) {
	at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }
	e := NewEngine(ruleSet(t, Rule{Name: "fall", Actions: []string{"fall"}}), 12*time.Second) // a tick each second
	cleared := func(from, to int) bool {
		for i := from; i <= to; i++ {
			if len(e.Tick(at(i))) > 0 {
				return true
			}
		}
		return false
	}
	e.Tick(at(0))
	play(e, t0, 0, .9)
	if cleared(1, 6) {
		t.Error("too early")
	}
	// Held up, or Kafka away, for an hour: three seconds of it count.
	if cleared(3600, 3602) {
		t.Error("an outage counts")
	}
	if !cleared(3603, 3604) {
		t.Error("what came before an outage does not count")
	}
	if play(e, t0, 1, .9); cleared(3605, 3615) || cleared(1000, 1000) || !cleared(1001, 1002) {
		t.Error("not counted anew, or a clock that was set back counts")
	}
}

// Cameras that are gone, and names that somebody made up, are forgotten.
func TestCamerasThatAreGoneAreForgotten(t *testing.T) {
	of := func(camera string, label topics.LabelScore) topics.Recognition {
		rec := clipAt(t0, 0, label)
		rec.Camera, rec.ClipID = camera, camera
		return rec
	}
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Cooldown: 48 * time.Hour})
	e.Evaluate(of("rests", fall(.9)))
	e.Evaluate(of("gone", fall(.1)))
	tick(e, t0, 30*time.Hour)
	if e.cameras["gone"] != nil || e.cameras["rests"] == nil {
		t.Errorf("after 30 hours there are %d cameras", len(e.cameras))
	}
	tick(e, t0.Add(30*time.Hour), 30*time.Hour)
	if len(e.cameras) != 0 {
		t.Errorf("after 60 hours there are %d cameras", len(e.cameras))
	}
	e.Evaluate(of("raised", fall(.9)))
	for i := range maxCameras + 10 {
		e.Evaluate(of(fmt.Sprint(i), fall(.1)))
	}
	if len(e.cameras) > maxCameras || e.cameras["raised"] == nil {
		t.Errorf("%d cameras are remembered; the one with an open alert: %v", len(e.cameras), e.cameras["raised"] != nil)
	}
}
