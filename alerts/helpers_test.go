package alerts

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

var t0 = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// clipAt is clip i of an unbroken stream that began at epoch, 2 s apart. A label
// without a contrast has its score for it.
func clipAt(epoch time.Time, i int, labels ...topics.LabelScore) topics.Recognition {
	for i := range labels {
		labels[i].Contrast = cmp.Or(labels[i].Contrast, labels[i].Score)
	}
	from := time.Duration(i) * 2 * time.Second
	return topics.Recognition{
		ClipID: topics.ClipID("lobby", epoch, from), Camera: "lobby", Epoch: epoch, Sequence: uint64(i),
		Start: epoch.Add(from), End: epoch.Add(from + 4*time.Second), Labels: labels,
		Clip: topics.RecordRef{Topic: "frostwatch.clips", Offset: int64(i)},
	}
}

func fall(score float64) topics.LabelScore {
	return topics.LabelScore{Label: "fall", Score: score, Contrast: score}
}

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

// tick lets an engine whose limit is a minute tick on through d.
func tick(e *Engine, from time.Time, d time.Duration) (cleared []topics.Alert) {
	for at := time.Duration(0); at <= d; at += 5 * time.Second {
		cleared = append(cleared, e.Tick(from.Add(at))...)
	}
	return cleared
}
