package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

var t0 = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// clipAt is clip i of an unbroken stream that began at epoch, 2 s apart.
func clipAt(epoch time.Time, i int, labels ...topics.LabelScore) topics.Recognition {
	from := time.Duration(i) * 2 * time.Second
	return topics.Recognition{
		ClipID: topics.ClipID("lobby", epoch, from), Camera: "lobby", Epoch: epoch, Sequence: uint64(i),
		Start: epoch.Add(from), End: epoch.Add(from + 4*time.Second), Labels: labels,
		Clip: topics.RecordRef{Topic: "frostwatch.clips", Offset: int64(i)},
	}
}

func fall(score float64) topics.LabelScore { return topics.LabelScore{Label: "fall", Score: score} }

func newEngine(t testing.TB, rules ...Rule) *Engine {
	t.Helper()
	return NewEngine(ruleSet(t, rules...), time.Minute)
}

func ruleSet(t testing.TB, rules ...Rule) *RuleSet {
	t.Helper()
	set, err := NewRuleSet(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// play evaluates clips with the given scores and writes down what happens, as
// "raised 0-1" (from onset to deciding clip, by number) or "cleared 4".
func play(e *Engine, epoch time.Time, from int, scores ...float64) (events []string, alerts []topics.Alert) {
	number := func(at time.Time) int { return int(at.Sub(epoch) / (2 * time.Second)) }
	for i, score := range scores {
		for _, a := range e.Evaluate(clipAt(epoch, from+i, fall(score))) {
			alerts = append(alerts, a)
			if a.State == topics.AlertRaised {
				events = append(events, fmt.Sprintf("raised %d-%d", number(a.Onset), from+i))
			} else {
				events = append(events, fmt.Sprintf("cleared %d", from+i))
			}
		}
	}
	return events, alerts
}

func TestHysteresis(t *testing.T) {
	base := Rule{Name: "fall", Actions: []string{"fall"}, Score: Score{Raise: .6, Clear: .3}}
	with := func(n, m int, cooldown time.Duration) Rule {
		r := base
		r.Clips, r.Cooldown = ClipsRule{n, m}, cooldown
		return r
	}
	for _, c := range []struct {
		name   string
		rule   Rule
		scores []float64
		want   []string
	}{
		{"one of one", base, []float64{.1, .6, .4, .3, .2, .7}, []string{"raised 1-1", "cleared 4", "raised 5-5"}},
		{"two of three", with(2, 3, 0), []float64{.9, .1, .9, .1, .1, .1, .1}, []string{"raised 0-2", "cleared 5"}},
		{"too far apart", with(2, 3, 0), []float64{.9, .1, .1, .9, .1, .1, .9}, nil},
		{"held up by one", with(2, 3, 0), []float64{.9, .9, .1, .1, .4, .1, .1, .1}, []string{"raised 0-1", "cleared 7"}},
		{"three of three", with(3, 3, 0), []float64{.9, .9, .1, .9, .9, .9}, []string{"raised 3-5"}},
		{"cooldown", with(1, 1, 6*time.Second), []float64{.9, .1, .9, .9, .9, .9}, []string{"raised 0-0", "cleared 1", "raised 4-4"}},
		{"never twice", base, []float64{.9, .9, .9, .9}, []string{"raised 0-0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := play(newEngine(t, c.rule), t0, 0, c.scores...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAlertSaysWhatItIsAbout(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 2}, Severity: "critical"}
	e := newEngine(t, rule)
	_, got := play(e, t0, 0, .8, .9, 0, 0)
	if len(got) != 2 {
		t.Fatalf("%d alerts", len(got))
	}
	first, second := clipAt(t0, 0), clipAt(t0, 1)
	raised, cleared := got[0], got[1]
	if raised.ID != "fall/"+first.ClipID || raised.OnsetClip != first.ClipID || !raised.Onset.Equal(first.Start) ||
		raised.Clip != second.ClipID || !raised.At.Equal(second.End) || raised.Score != .9 || raised.Severity != "critical" {
		t.Errorf("raised %+v", raised)
	}
	if cleared.ID != raised.ID || cleared.Reason != "the score fell" || !cleared.Onset.Equal(first.Start) {
		t.Errorf("cleared %+v", cleared)
	}
}

func TestEachLabelHasItsOwnThreshold(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Tags: []string{"danger"}})
	label := func(name string, score, threshold float64) topics.LabelScore {
		return topics.LabelScore{Label: name, Score: score, Threshold: threshold, Tags: []string{"danger"}}
	}
	got := e.Evaluate(clipAt(t0, 0, label("a", .45, .9), label("b", .40, .3)))
	if len(got) != 1 || got[0].Label != "b" || got[0].Score != .40 {
		t.Fatalf("b reached its own threshold: %+v", got)
	}
	if got := e.Evaluate(clipAt(t0, 1, label("a", .55, .9), label("b", .25, .3))); len(got) != 0 {
		t.Errorf("b is above its clear score: %+v", got)
	}
	if got := e.Evaluate(clipAt(t0, 2, label("a", .55, .9), label("b", .15, .3))); len(got) != 1 || got[0].Label != "a" {
		t.Errorf("neither sustains: %+v", got)
	}
}

func TestEpochs(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 2}}
	later := t0.Add(time.Minute)
	t.Run("a window does not span two", func(t *testing.T) {
		e := newEngine(t, rule)
		a, _ := play(e, t0, 0, .1, .9)
		b, _ := play(e, later, 0, .9, .9)
		if len(a) != 0 || !slices.Equal(b, []string{"raised 0-1"}) {
			t.Errorf("got %q, then %q", a, b)
		}
	})
	t.Run("an alert does", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0, 0, .9, .9)
		if got, _ := play(e, later, 0, .9, .1, .1); !slices.Equal(got, []string{"cleared 2"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a clip sent again changes nothing", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0, 0, .1, .9)
		play(e, later, 0, .1)
		for range 3 {
			if got, _ := play(e, t0, 0, .9, .9); len(got) != 0 {
				t.Errorf("the epoch before: %q", got)
			}
			if got, _ := play(e, later, 0, .9); len(got) != 0 {
				t.Errorf("this epoch: %q", got)
			}
		}
	})
	t.Run("a clock set back", func(t *testing.T) {
		e := newEngine(t, rule)
		play(e, t0.Add(24*time.Hour), 0, .1)
		if got, _ := play(e, t0, 0, .9, .9); !slices.Equal(got, []string{"raised 0-1"}) {
			t.Errorf("one clip from the future mutes the camera: %q", got)
		}
	})
	t.Run("many", func(t *testing.T) {
		e := newEngine(t, rule)
		for i := range 100 {
			play(e, t0.Add(time.Duration(i)*time.Minute), 0, .1)
		}
		if n := len(e.cameras["lobby"].epochs); n > maxEpochs {
			t.Errorf("%d are remembered", n)
		}
	})
}

func TestScheduledRules(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Schedule: &Schedule{From: "12:01"}})
	if got, _ := play(e, t0, 0, .9, .9); len(got) != 0 {
		t.Errorf("raised out of hours: %q", got)
	}
	if got, _ := play(e, t0, 28, .9); !slices.Equal(got, []string{"raised 28-28"}) {
		t.Errorf("in its hours: %q", got)
	}
}

// tick lets an engine whose limit is a minute tick on through d.
func tick(e *Engine, from time.Time, d time.Duration) (cleared []topics.Alert) {
	for at := time.Duration(0); at <= d; at += 5 * time.Second {
		cleared = append(cleared, e.Tick(from.Add(at))...)
	}
	return cleared
}

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

func TestRulesReplaced(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}}
	elsewhere, stricter, renamed := rule, rule, rule
	elsewhere.Cameras, stricter.Score.Raise, renamed.Name = []string{"attic"}, .95, "falls"
	for _, c := range []struct {
		name  string
		rules []Rule
		clear string
	}{
		{"removed", nil, "the rule was removed"},
		{"renamed", []Rule{renamed}, "the rule was removed"},
		{"elsewhere", []Rule{elsewhere}, "the rule no longer watches this camera"},
		{"kept", []Rule{stricter}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, rule)
			play(e, t0, 0, .9, .9)
			got := e.SetRules(ruleSet(t, c.rules...))
			if ends := c.clear != ""; (len(got) == 1) != ends || (len(e.Open()) == 0) != ends {
				t.Fatalf("got %+v", got)
			}
			if c.clear != "" && (got[0].Reason != c.clear || got[0].State != topics.AlertCleared) {
				t.Errorf("got %+v", got[0])
			}
		})
	}
	// What a rule has seen counts for the one that takes its name.
	pair, looser := rule, rule
	pair.Clips, looser.Clips = ClipsRule{3, 3}, ClipsRule{2, 4}
	e := newEngine(t, pair)
	play(e, t0, 0, .9, .1)
	e.SetRules(ruleSet(t, looser))
	if got, _ := play(e, t0, 2, .1, .9); !slices.Equal(got, []string{"raised 0-3"}) {
		t.Errorf("got %q", got)
	}
}

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

// Models are swapped while a camera is watched: what the one before saw counts
// on.
func TestModelsMayChange(t *testing.T) {
	e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Score: Score{Raise: .6, Clear: .3}, Clips: ClipsRule{2, 3}})
	var states []topics.AlertState
	for i, score := range []float64{.9, .9, .9, .1, .1, .1} {
		rec := clipAt(t0, i, fall(score))
		rec.Model = []string{"old", "new", "newer"}[i%3]
		rec.Vocab.Version = "of " + rec.Model
		for _, a := range e.Evaluate(rec) {
			states = append(states, a.State)
			if a.Vocab.Version != "of "+a.Model {
				t.Errorf("%s by model %q with the vocabulary %q", a.State, a.Model, a.Vocab.Version)
			}
		}
	}
	if want := []topics.AlertState{topics.AlertRaised, topics.AlertCleared}; !slices.Equal(states, want) {
		t.Errorf("got %v, want %v", states, want)
	}
}
