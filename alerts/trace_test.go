package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A rule says for each clip why it raised, cleared, or did neither.
func TestTraces(t *testing.T) {
	base := Rule{Name: "fall", Actions: []string{"fall"}, Score: &Levels{Raise: .6, Clear: .3}}
	with := func(change func(*Rule)) Rule { r := base; change(&r); return r }
	for _, c := range []struct {
		name   string
		rule   Rule
		scores []float64 // a negative one is a clip without the label
		want   []string  // a part of what is said of each clip
	}{
		{"raise, hold, clear", base, []float64{.2, .7, .4, .1},
			[]string{"0.200, which is below 0.600", `raised alert fall/lobby`, "is kept open: this clip does not count, and is high enough", "cleared alert fall/lobby"}},
		{"N of M", with(func(r *Rule) { r.Clips = ClipsRule{2, 3} }), []float64{.7, .1, .7},
			[]string{`"fall" has 0.700, which reaches 0.600, which is not enough yet: of the last 1 clips 1 count, 2 of 3 are wanted`, "below", "raised"}},
		{"cooldown", with(func(r *Rule) { r.Cooldown = 10 * time.Second }), []float64{.7, .1, .7, .7},
			[]string{"raised", "cleared", "rests until 2026-01-05T12:00:16Z, which is 10s after", "rests"}},
		{"quiet hours", with(func(r *Rule) { r.Schedule = &Schedule{From: "13:00"} }), []float64{.7}, []string{"outside the rule's hours, although"}},
		{"label not scored", base, []float64{-1}, []string{"has none of the rule's labels"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, c.rule)
			var got []Trace
			e.SetTrace(func(t Trace) { got = append(got, t) })
			for i, score := range c.scores {
				rec := clipAt(t0, i)
				if score >= 0 {
					rec.Labels = []topics.LabelScore{fall(score)}
				}
				e.Evaluate(rec)
			}
			if len(got) != len(c.want) {
				t.Fatalf("%d traces, want %d", len(got), len(c.want))
			}
			for i, want := range c.want {
				if !strings.Contains(got[i].Why, want) || got[i].Clip != clipAt(t0, i).ClipID || got[i].Fresh != (i == 0) {
					t.Errorf("clip %d: got %+v, want %q", i, got[i], want)
				}
			}
		})
	}
}

// Whoever traces sees the alerts that the engine raises without it.
func TestATraceChangesNothing(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 3}, Cooldown: 5 * time.Second}
	scores := []float64{.9, .9, .1, .1, .1, .9, .9, .9, 0, 0, 0, .9, .9}
	want, _ := play(newEngine(t, rule), t0, 0, scores...)
	e := newEngine(t, rule)
	traced := 0
	e.SetTrace(func(t Trace) {
		if t.Alert != nil {
			traced++
		}
	})
	got, _ := play(e, t0, 0, scores...)
	if strings.Join(got, ",") != strings.Join(want, ",") || traced != len(want) || traced == 0 {
		t.Errorf("got %v, %d of them traced, want %v", got, traced, want)
	}
}
