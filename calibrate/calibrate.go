// Package calibrate asks the recorded past: it runs the engine of the alerts stage
// over archived recognitions, scores words against recorded embeddings, and compares
// what rules would have raised with what was raised. It raises nothing.
package calibrate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Past is what is asked; *archive.Reader has it.
type Past interface {
	Actions(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Recognition]) error) (archive.Counts, error)
	Alerts(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Alert]) error) (archive.Counts, error)
	Labels(ctx context.Context, g archive.Range, fn func(archive.Labelled) error) (archive.Counts, error)
	Scan(ctx context.Context, g archive.Range, fn func(archive.Batch) error) (archive.Counts, error)
}

// LateAlerts is how long after its own time an alert's record may have reached Kafka:
// the clear of a camera that sends no clips has the time of its last.
const LateAlerts = 24 * time.Hour

// noClips is how long a camera may send no clip before its alerts are cleared, as in
// the alerts stage.
const noClips = time.Minute

// maxAlerts bounds the alerts that one question may give, raises and clears.
const maxAlerts = 1_000_000

// inOrder sorts alerts by time; of one time, by camera, rule and id, a raise before
// its clear.
func inOrder(all []topics.Alert) {
	slices.SortStableFunc(all, func(a, b topics.Alert) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.ID, b.ID), -cmp.Compare(a.State, b.State))
	})
}
