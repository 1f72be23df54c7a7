package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// left are the clears that restored alerts lack, by id.
type left map[string]topics.Alert

// leave notes that an alert was never cleared before another followed it.
func (l left) leave(a topics.Alert, followed time.Time) {
	l[a.ID] = cleared(a, followed, anotherFollowed)
}

// restoring takes note of a restored alert: one whose clear was published lacks none.
func (l left) restoring(a topics.Alert) {
	if a.State == topics.AlertCleared {
		delete(l, a.ID)
	}
}

// Restored ends restoring. It returns clears for the alerts that were never cleared
// before another of their rule followed.
func (l left) Restored() (out []topics.Alert) {
	for _, id := range slices.Sorted(maps.Keys(l)) {
		out = append(out, l[id])
	}
	clear(l)
	return out
}

// cleared is the clear of an alert that no clip decided.
func cleared(a topics.Alert, at time.Time, reason string) topics.Alert {
	a.State, a.At, a.Reason = topics.AlertCleared, at, topics.Clean(reason)
	a.Score, a.Similarity, a.Contrast, a.View, a.Box, a.Verify = 0, 0, 0, "", nil, "" // those of the raise
	return a
}
