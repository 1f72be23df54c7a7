package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// script is what clips of lobby show, two seconds apart, a letter for each: "a" is the
// label a at 0.9, "." none, "|" a new stream epoch a minute after the last clip, "_" a
// clip that was lost, "~" a minute of ticks without clips, and "<" a clock that is set back by an hour.
func script(t testing.TB, e *Engine, text string) (events []string) {
	t.Helper()
	epoch, i, n := t0, 0, 0
	note := func(alerts ...topics.Alert) {
		for _, a := range alerts {
			event := fmt.Sprintf("%d %s", n, a.State)
			if a.State != topics.AlertCleared {
				event += " " + a.Label
			}
			events = append(events, strings.TrimSpace(event))
		}
	}
	for _, c := range text {
		switch c {
		case '|':
			epoch, i = epoch.Add(time.Duration(i)*2*time.Second+time.Minute), 0
			continue
		case '<':
			epoch, i = epoch.Add(-time.Hour), 0
			continue
		case '_':
			i++
			continue
		case '~':
			note(tick(e, epoch.Add(time.Duration(i)*2*time.Second), time.Minute+5*time.Second)...)
			continue
		}
		labels := []topics.LabelScore{}
		for _, name := range []string{"a", "b", "c"} {
			value := .1
			if string(c) == name || c == '*' {
				value = .9
			}
			labels = append(labels, topics.LabelScore{Label: name, Score: value})
		}
		note(e.Evaluate(clipAt(epoch, i, labels...))...)
		i, n = i+1, n+1
	}
	return events
}

func TestSequences(t *testing.T) {
	base := Rule{Actions: []string{"a"}, Then: &Then{[]string{"b"}, 6 * time.Second}}
	with := func(bend func(*Rule)) Rule {
		r := base
		bend(&r)
		return r
	}
	for _, c := range []struct {
		name, script string
		rule         Rule
		want         []string
	}{
		{"one after the other", ".a.b.", base, []string{"3 raised b", "4 cleared"}},
		{"at the last moment", "a..b", base, []string{"3 raised b"}},
		{"too late", "a...b", base, nil},
		{"the other way round", "b.a..", base, nil},
		{"in one clip", "*...", base, nil},
		{"in one clip, and then again", "**..", base, []string{"1 raised b", "2 cleared"}},
		{"the second goes on, the first comes into it", "bbab", base, []string{"3 raised b"}},
		{"the first alone", "aaaa", base, nil},
		{"the second alone", "bbbb", base, nil},
		{"the last time counts", "a.a..b", base, []string{"5 raised b"}},
		{"the first counts for one alert", "ab.b.", base, []string{"1 raised b", "2 cleared"}},
		{"seen again after a clear", "ab.a.b.", base, []string{"1 raised b", "2 cleared", "5 raised b", "6 cleared"}},
		{"lost clips take time", "a__b_", base, []string{"1 raised b"}},
		{"lost clips take too much time", "a___b", base, nil},
		{"across a new stream", "a|b", with(func(r *Rule) { r.Then = &Then{[]string{"b"}, 2 * time.Minute} }), []string{"1 raised b"}},
		{"not across a clock that was set back", "a<b", with(func(r *Rule) { r.Then = &Then{[]string{"b"}, time.Hour} }), nil},
		{"two of two each", "aa.bb.", with(func(r *Rule) { r.Clips = ClipsRule{2, 2} }), []string{"4 raised b"}},
		{"one of two is not enough", "a.abb.", with(func(r *Rule) { r.Clips = ClipsRule{2, 2} }), nil},
		{"windows do not span streams", "a|abb..", with(func(r *Rule) { r.Clips, r.Then = ClipsRule{2, 2}, &Then{[]string{"b"}, time.Hour} }), nil},
		{"either of two", "a.c", with(func(r *Rule) { r.Then = &Then{[]string{"b", "c"}, time.Minute} }), []string{"2 raised c"}},
		{"cooldown", "ab.ab..ab", with(func(r *Rule) { r.Cooldown = 10 * time.Second }), []string{"1 raised b", "2 cleared", "8 raised b"}},
		{"outside its hours", "ab", with(func(r *Rule) { r.Schedule = &Schedule{From: "13:00"} }), nil},
		{"no more clips", "ab~", base, []string{"1 raised b", "2 cleared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "r"
			if got := script(t, newEngine(t, c.rule), c.script); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheAlertOfASequenceBeginsWithWhatCameFirst(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Actions: []string{"a"}, Then: &Then{[]string{"b"}, time.Minute}, Clips: ClipsRule{2, 3}})
	script(t, e, ".a.a.b.b")
	open := e.Open()
	if first := clipAt(t0, 1); len(open) != 1 || open[0].OnsetClip != first.ClipID || open[0].ID != "r/"+first.ClipID || open[0].Clip != clipAt(t0, 7).ClipID {
		t.Fatalf("got %+v", open)
	}
	if open[0].Reason != "a came first, 8s before" {
		t.Errorf("reason %q", open[0].Reason)
	}
	// It is about the second: that it is gone is why it ends.
	if got := e.Evaluate(clipAt(t0, 8, topics.LabelScore{Label: "b", Score: .1})); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	for i := 9; i < 11; i++ {
		e.Evaluate(clipAt(t0, i, topics.LabelScore{Label: "b", Score: .1}))
	}
	if len(e.Open()) != 0 {
		t.Error("still open")
	}
}

func TestAbsences(t *testing.T) {
	base := Rule{Absent: &Absent{[]string{"a"}, 6 * time.Second}}
	with := func(bend func(*Rule)) Rule {
		r := base
		bend(&r)
		return r
	}
	for _, c := range []struct {
		name, script string
		rule         Rule
		want         []string
	}{
		{"from the start", ".....a.", base, []string{"3 raised a", "5 cleared"}},
		{"after it was seen", "a...a....a", base, []string{"3 raised a", "4 cleared", "7 raised a", "9 cleared"}},
		{"seen again and again", "a..a..a..", base, nil},
		{"not while it is seen", "aaaaaa", base, nil},
		{"an outage does not count", "a.|..|..", base, []string{"5 raised a"}},
		{"the first clip of a stream adds nothing", "a|.|.|.|.|.|.", base, nil},
		{"lost clips do not count", "a_.___...", base, []string{"3 raised a"}},
		{"no clips end the alert, and it counts anew", "....~....", base, []string{"3 raised a", "4 cleared", "6 raised a"}},
		{"two of three", "a.a...a.a.", with(func(r *Rule) { r.Clips = ClipsRule{2, 3} }), []string{"5 raised a", "8 cleared"}},
		{"either of two", "..b..", with(func(r *Rule) { r.Absent = &Absent{[]string{"a", "b"}, 6 * time.Second} }), nil},
		{"clock set back", "a..<.....", base, []string{"4 raised a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "r"
			if got := script(t, newEngine(t, c.rule), c.script); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheAlertOfAnAbsenceSaysSo(t *testing.T) {
	e := newEngine(t, Rule{Name: "r", Absent: &Absent{[]string{"nurse visiting", "doctor visiting"}, 4 * time.Second}})
	var got []topics.Alert
	for i := range 3 {
		got = append(got, e.Evaluate(clipAt(t0, i, fall(.3)))...) // none of the labels is listed
	}
	if last := clipAt(t0, 2); len(got) != 1 || got[0].Label != "nurse visiting" || got[0].Score != 0 || got[0].Reason != "not seen for 4s" || !got[0].Absent || got[0].About() != "no nurse visiting" ||
		got[0].OnsetClip != last.ClipID || got[0].Clip != last.ClipID {
		t.Fatalf("got %+v", got)
	}
	if _, err := topics.EncodeAlert(got[0]); err != nil {
		t.Error(err)
	}
	cleared := e.Evaluate(clipAt(t0, 3, topics.LabelScore{Label: "doctor visiting", Score: .8}))
	if len(cleared) != 1 || cleared[0].State != topics.AlertCleared || cleared[0].Label != "doctor visiting" || cleared[0].Score != .8 || cleared[0].Reason != "it was seen" || !cleared[0].Absent {
		t.Errorf("got %+v", cleared)
	}
}

// Nothing is counted outside a rule's hours, and the count begins anew with them.
func TestAbsencesKeepToTheirHours(t *testing.T) {
	for _, c := range []struct {
		name string
		rule Rule
		want []string
	}{
		{"schedule", Rule{Schedule: &Schedule{From: "12:01"}}, []string{"31 raised a"}}, // clip 28 is the first that ends in it
		{"quiet hours", Rule{Quiet: &Schedule{From: "12:00", To: "12:01"}}, []string{"31 raised a"}},
		{"always", Rule{}, []string{"4 raised a"}},
	} {
		c.rule.Name, c.rule.Absent = "r", &Absent{[]string{"a"}, 8 * time.Second}
		if got := script(t, newEngine(t, c.rule), strings.Repeat(".", 40)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A camera that was away for a day has not shown anything since: it counts anew.
func TestAnAbsenceIsForgottenAfterADayWithoutClips(t *testing.T) {
	for away, want := range map[time.Duration]int{time.Hour: 1, 25 * time.Hour: 0} {
		e := newEngine(t, Rule{Name: "r", Absent: &Absent{[]string{"a"}, 8 * time.Second}})
		script(t, e, "....") // 6 s without it
		var raised []topics.Alert
		for i := range 3 {
			raised = append(raised, e.Evaluate(clipAt(t0.Add(away), i))...)
		}
		if len(raised) != want {
			t.Errorf("away for %v: %d alerts, want %d", away, len(raised), want)
		}
	}
}

// What a rule has seen counts for the one that takes its name, if it is of the same
// kind; an open alert of another kind ends as the new rule says.
func TestKindsReplaced(t *testing.T) {
	clips := Rule{Name: "r", Actions: []string{"b"}}
	after := Rule{Name: "r", Actions: []string{"a"}, Then: &Then{[]string{"b"}, time.Minute}}
	missing := Rule{Name: "r", Absent: &Absent{[]string{"a"}, 6 * time.Second}}
	longer, sooner := missing, after
	longer.Absent, sooner.Then = &Absent{[]string{"a"}, 10 * time.Second}, &Then{[]string{"b"}, 8 * time.Second}
	for _, c := range []struct {
		name     string
		from, to Rule
		before   string
		then     string
		want     []string
	}{
		{"sequence for sequence", after, sooner, "a..", "b", []string{"0 raised b"}},
		{"sequence for sequence, too late for it", after, sooner, "a....", "b", nil},
		{"absence for absence", missing, longer, "...", "....", []string{"2 raised a"}},
		{"an open one of clips ends by the sequence", clips, after, "b", ".", []string{"0 cleared"}},
		{"an open one of clips ends by the absence", clips, missing, "b", ".a", []string{"1 cleared"}},
		{"an open absence ends by the clips", missing, clips, "....", ".", []string{"0 cleared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, c.from)
			script(t, e, c.before)
			e.SetRules(ruleSet(t, c.to))
			got := scriptFrom(t, e, len(c.before), c.then)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// scriptFrom goes on with a script of letters after so many clips.
func scriptFrom(t testing.TB, e *Engine, from int, text string) (events []string) {
	t.Helper()
	for n, c := range text {
		var labels []topics.LabelScore
		for _, name := range []string{"a", "b"} {
			value := .1
			if string(c) == name {
				value = .9
			}
			labels = append(labels, topics.LabelScore{Label: name, Score: value})
		}
		for _, a := range e.Evaluate(clipAt(t0, from+n, labels...)) {
			event := fmt.Sprintf("%d %s", n, a.State)
			if a.State == topics.AlertRaised {
				event += " " + a.Label
			}
			events = append(events, event)
		}
	}
	return events
}
