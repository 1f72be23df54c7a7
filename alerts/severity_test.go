package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestSeverityByValue(t *testing.T) {
	for _, c := range []struct {
		severity string
		from     SeverityFrom
		value    float64
		want     string
	}{
		{"", SeverityFrom{.5, .9}, .4, "info"},
		{"", SeverityFrom{.5, .9}, .5, "warning"},
		{"", SeverityFrom{.5, .9}, .95, "critical"},
		{"", SeverityFrom{Critical: .9}, .8, "info"},
		{"warning", SeverityFrom{Critical: .9}, .8, "warning"},
		{"warning", SeverityFrom{.5, .9}, .6, "warning"},
		{"critical", SeverityFrom{.5, .9}, .6, "critical"},
	} {
		e := newEngine(t, Rule{Name: "fall", Actions: []string{"fall"}, Contrast: &Levels{Raise: .2}, Severity: c.severity, SeverityFrom: &c.from})
		if got := e.Evaluate(clipAt(t0, 0, fall(c.value))); len(got) != 1 || got[0].Severity != c.want {
			t.Errorf("%q, from %+v: %v gives %+v, want %s", c.severity, c.from, c.value, got, c.want)
		}
	}
}

// states writes down what clips of scores do: state and severity by clip.
func states(e *Engine, from int, scores ...float64) (events []string) {
	for i, score := range scores {
		for _, a := range e.Evaluate(clipAt(t0, from+i, fall(score))) {
			events = append(events, fmt.Sprint(from+i, " ", a.State, " ", a.Severity))
		}
	}
	return events
}

func TestEscalation(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Escalate: &Escalate{After: 4 * time.Second}}
	byValue := rule
	byValue.SeverityFrom = &SeverityFrom{Warning: .6, Critical: .9}
	for _, c := range []struct {
		name   string
		rule   Rule
		scores []float64
		want   []string
	}{
		{"while it stays", rule, []float64{.9, .9, .9, .9, .1}, []string{"0 raised warning", "2 escalated critical", "4 cleared critical"}},
		{"cleared before", rule, []float64{.9, .9, .1, .1}, []string{"0 raised warning", "2 cleared warning"}},
		{"each alert anew", rule, []float64{.9, .9, .9, .1, .9, .9, .9}, []string{"0 raised warning", "2 escalated critical", "3 cleared critical", "4 raised warning", "6 escalated critical"}},
		{"critical already", byValue, []float64{.95, .9, .9, .9}, []string{"0 raised critical"}},
		{"from info", byValue, []float64{.55, .9, .9, .9}, []string{"0 raised info", "2 escalated critical"}},
	} {
		if got := states(newEngine(t, c.rule), 0, c.scores...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// The record says for how long it was open, of which alert.
	e := newEngine(t, rule)
	raised := e.Evaluate(clipAt(t0, 0, fall(.9)))[0]
	got := e.Evaluate(clipAt(t0, 2, fall(.7)))
	if len(got) != 1 || got[0].ID != raised.ID || got[0].EventID() == raised.EventID() || got[0].Reason != "open for 4s" || got[0].Score != .7 || !got[0].Onset.Equal(raised.Onset) {
		t.Errorf("got %+v", got)
	}
}

// The next worker escalates what the one before it raised, once.
func TestEscalationAcrossARestart(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Escalate: &Escalate{After: 4 * time.Second}}
	first := newEngine(t, rule)
	raised := first.Evaluate(clipAt(t0, 0, fall(.9)))[0]
	escalated := first.Evaluate(clipAt(t0, 2, fall(.9)))[0]
	listed := raised
	listed.Severity = "critical" // as in the table of open alerts
	for _, c := range []struct {
		name    string
		restore func(e *Engine)
		want    []string
	}{
		{"raised", func(e *Engine) { e.Restore(raised) }, []string{"2 escalated critical", "4 cleared critical"}},
		{"escalated", func(e *Engine) { e.Restore(raised); e.Restore(escalated) }, []string{"4 cleared critical"}},
		{"escalated, and sent again", func(e *Engine) { e.Restore(raised); e.Restore(escalated); e.Restore(raised) }, []string{"4 cleared critical"}},
		{"escalated long ago", func(e *Engine) { e.RestoreOlder(listed) }, []string{"4 cleared critical"}},
		{"escalated, of another alert", func(e *Engine) {
			other := escalated
			other.ID = "fall/other"
			e.Restore(raised)
			e.Restore(other)
		}, []string{"2 escalated critical", "4 cleared critical"}},
	} {
		e := newEngine(t, rule)
		c.restore(e)
		if got := states(e, 1, .9, .9, .9, .1); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// An escalation is published with the evidence of the raise, the table of open alerts
// follows it, and a worker that starts later knows it.
func TestAnEscalationIsPublished(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	rule := fallRule()
	rule.Escalate = &Escalate{After: 4 * time.Second}
	o := Options{Rules: ruleSet(t, rule)}
	epoch := recent()
	c.send(t, topics.Clips, "lobby", clipRecord(t, epoch, 0, "lobby"))
	_, stop, _ := c.run(t, o)
	first := clipAt(epoch, 0, fall(.9))
	first.Clip = topics.RecordRef{Topic: names.Of(topics.Clips)}
	c.recognise(t, first, clipAt(epoch, 1, fall(.9)), clipAt(epoch, 2, fall(.9)))
	got := c.awaitAlerts(t, 2)
	if a := got[1]; a.State != topics.AlertEscalated || a.ID != got[0].ID || a.Severity != "critical" || a.Evidence == nil || *a.Evidence != *got[0].Evidence {
		t.Errorf("got %+v", a)
	}
	awaitListed := func() {
		t.Helper()
		for deadline := time.Now().Add(patient); ; time.Sleep(50 * time.Millisecond) {
			open := c.awaitOpen(t, "lobby/fall")["lobby/fall"]
			if open.State == topics.AlertRaised && open.Severity == "critical" && open.Evidence != nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("listed as open: %+v", open)
			}
		}
	}
	awaitListed()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c.list(t, "lobby/fall", got[0]) // the worker died before it changed the table
	_, stop, _ = c.run(t, o)
	awaitListed()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Group = "anew" // reads the same clips again
	c.run(t, o)
	c.recognise(t, clipAt(epoch, 3, fall(.9)), clipAt(epoch, 4, fall(.1)))
	if a := c.awaitAlerts(t, 3)[2]; a.State != topics.AlertCleared || a.Severity != "critical" {
		t.Errorf("got %+v", a)
	}
}
