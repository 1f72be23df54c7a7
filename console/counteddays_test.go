package console

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// A month costs a few passes of the log, and what is known is not read again.
func TestAMonthIsCountedInAFewPasses(t *testing.T) {
	last := dayOf(time.Now()).AddDate(0, 0, -40)
	oldest := last.AddDate(0, 0, -30)
	var passes []string
	c := newCountedDays(newDays(nil), func(_ context.Context, g archive.Range, take func(topics.Alert)) error {
		passes = append(passes, fmt.Sprint(int(g.Until.Sub(g.Since)/day)))
		for _, a := range []topics.Alert{
			{ID: "1", Camera: "ward", At: last.Add(time.Hour), State: topics.AlertRaised},
			{ID: "1", Camera: "ward", At: last.Add(time.Hour), State: topics.AlertRaised}, // work was repeated
			{ID: "1", Camera: "ward", At: last.Add(2 * time.Hour), State: topics.AlertCleared},
			{ID: "2", Camera: "hall", At: last.Add(3 * time.Hour), State: topics.AlertRaised},
			{ID: "3", Camera: "hall", At: oldest.Add(time.Hour), State: topics.AlertRaised},
		} {
			if !a.At.Before(g.Since) && a.At.Before(g.Until) {
				take(a)
			}
		}
		return nil
	})
	month := func() (n int) {
		for begin := last; !begin.Before(oldest); begin = begin.Add(-day) {
			one, known, err := c.of(t.Context(), begin, oldest)
			if err != nil || !known {
				t.Fatal(known, err)
			}
			n += len(one.alerts)
		}
		return n
	}
	if n := month(); n != 3 || fmt.Sprint(passes) != "[7 7 7 7 3]" {
		t.Errorf("%d alerts, by passes of %v days", n, passes)
	}
	if n := month(); n != 3 || len(passes) != 5 {
		t.Errorf("again: %d alerts, by passes of %v days", n, passes)
	}
	// A day that ought to be read again is read alone.
	one := c.kept[last]
	one.read = one.read.Add(-time.Hour)
	c.kept[last] = one
	if n := month(); n != 3 || passes[len(passes)-1] != "1" {
		t.Errorf("a stale day: %d alerts, by passes of %v days", n, passes)
	}
}
