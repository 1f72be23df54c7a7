package alerts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// randomStream is what two cameras send: scores that come and go, new epochs,
// and clips that are sent again.
func randomStream(r *rand.Rand) []topics.Recognition {
	var out []topics.Recognition
	epoch := map[string]time.Time{"lobby": t0, "attic": t0.Add(time.Second)}
	next := map[string]int{}
	high := false
	for range 60 {
		camera := []string{"lobby", "attic"}[r.IntN(2)]
		switch r.IntN(12) {
		case 0: // the stream is opened anew
			epoch[camera] = epoch[camera].Add(time.Duration(2*next[camera]+10) * time.Second)
			next[camera] = 0
		case 1: // sent again
			if len(out) > 0 {
				out = append(out, out[r.IntN(len(out))])
			}
			continue
		case 2, 3, 4:
			high = !high
		}
		score := .1 * r.Float64()
		if high {
			score = .5 + .5*r.Float64()
		}
		rec := clipAt(epoch[camera], next[camera], fall(score))
		rec.Camera, rec.ClipID = camera, camera+rec.ClipID
		out = append(out, rec)
		next[camera]++
	}
	return out
}

// Whatever the rules and the stream, and wherever workers stop and the next ones
// begin, the same alerts are published, each once.
func TestRestartsAnywhereChangeNothing(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := 1 + r.IntN(4)
		rules := ruleSet(t,
			Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{1 + r.IntN(m), m}, Cooldown: time.Duration(r.IntN(10)) * time.Second},
			Rule{Name: "any", Novel: true, Cameras: []string{"attic"}},
			Rule{Name: "strict", Actions: []string{"fall"}, Score: &Levels{Raise: .8}, Clips: ClipsRule{1, 2}})
		stream := randomStream(r)
		var want, log []string
		whole := NewEngine(rules, time.Minute)
		for _, rec := range stream {
			for _, a := range whole.Evaluate(rec) {
				want = append(want, a.EventID())
			}
		}
		var published []topics.Alert
		for committed := 0; committed < len(stream); {
			e := NewEngine(rules, time.Minute)
			for _, a := range published {
				e.Restore(a)
			}
			if left := e.Restored(); len(left) > 0 {
				t.Fatalf("seed %d: left open: %+v", seed, left)
			}
			for _, rec := range stream[:committed] {
				e.Warm(rec)
			}
			e.SetRules(rules)
			// It commits now and then, and dies after a few clips more.
			until := min(committed+r.IntN(12), len(stream))
			done := committed
			for _, rec := range stream[committed:until] {
				for _, a := range e.Evaluate(rec) {
					published, log = append(published, a), append(log, a.EventID())
				}
				if done++; r.IntN(2) == 0 {
					committed = done
				}
			}
			if until == len(stream) {
				break
			}
		}
		if !slices.Equal(log, want) {
			t.Fatalf("seed %d: published %s, want %s", seed, fmt.Sprint(log), fmt.Sprint(want))
		}
	}
}

// A worker that was stopped beyond its session and woken published a clear after
// the next one had raised another alert (a clear of it follows in the log).
func TestAClearEndsOnlyItsOwnAlert(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Cooldown: time.Hour}
	_, first := play(newEngine(t, rule), t0, 0, .9, .1) // raised and cleared
	_, second := play(newEngine(t, rule), t0, 5, .9, .1)
	for _, c := range []struct {
		name       string
		log        []topics.Alert
		open, left []string
	}{
		{"a stale clear", []topics.Alert{first[0], first[1], second[0], first[1]}, []string{second[0].ID}, nil},
		{"cleared for the next one alone", []topics.Alert{first[0], second[0], first[1]}, []string{second[0].ID}, nil},
		{"never cleared", []topics.Alert{first[0], second[0]}, []string{second[0].ID}, []string{first[0].ID}},
		{"never cleared, the next one is", []topics.Alert{first[0], second[0], second[1]}, nil, []string{first[0].ID}},
		{"a raise that was sent again", []topics.Alert{first[0], first[1], first[0]}, nil, nil},
		{"a clear alone", []topics.Alert{first[1]}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, rule)
			for _, a := range c.log {
				e.Restore(a)
			}
			var open, left []string
			for _, a := range e.Open() {
				open = append(open, a.ID)
			}
			for _, a := range e.Restored() {
				if left = append(left, a.ID); a.State != topics.AlertCleared || a.Reason == "" {
					t.Errorf("left open, and not mended: %+v", a)
				}
			}
			if !slices.Equal(open, c.open) || !slices.Equal(left, c.left) {
				t.Errorf("open %q, left %q; want %q and %q", open, left, c.open, c.left)
			}
		})
	}
}

func BenchmarkEngine(b *testing.B) {
	var rules []Rule
	for i := range 20 {
		rules = append(rules, Rule{Name: fmt.Sprint("r", i), Cameras: []string{"lobby*", "ward-*"}, Actions: []string{"fall"}, Clips: ClipsRule{2, 3}})
	}
	e := newEngine(b, rules...)
	labels := []topics.LabelScore{fall(.1), {Label: "b", Score: .05}, {Label: "c", Score: .01}, {Label: "d"}, {Label: "e"}}
	rec := clipAt(t0, 0, labels...)
	for i := 0; b.Loop(); i++ {
		rec.Start = t0.Add(time.Duration(i) * 2 * time.Second)
		rec.End = rec.Start.Add(4 * time.Second)
		e.Evaluate(rec)
	}
}
