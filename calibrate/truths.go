package calibrate

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// markMargin is left out before and after what was marked as true: a window that
// begins or ends in it still shows some of it.
const markMargin = 10 * time.Second

// truths are the times of a camera that people marked as true for a rule, or for one
// of its labels. Nothing in them is a false alarm.
func truths(marks []topics.Mark, camera string, r alerts.Rule, labels []vocab.Label) (out []interval) {
	for _, m := range marks {
		about := m.Rule == r.Name || slices.ContainsFunc(labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, m.Label) })
		if m.Camera != camera || !m.True || !about {
			continue
		}
		ended := m.Ended
		if ended.IsZero() { // it was open when it was marked
			ended = m.At
		}
		out = append(out, interval{m.Onset.Add(-markMargin), ended.Add(markMargin)})
	}
	return out
}
