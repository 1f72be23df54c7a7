package cameras

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Entry is a camera and what its stream is known to be doing.
type Entry struct {
	topics.Camera
	// Status is what was reported last. Where that no longer counts, its state is
	// empty, its reason says why, and the rest is as it was reported.
	Status topics.StreamStatus
}

// goneAfter is how long after its last record a worker counts as gone.
const goneAfter = 3 * topics.WorkerEvery

// List returns every camera, in order of their names, with its status. A status
// counts only while the worker that wrote it is alive and holds the camera: the
// last one of a worker that was killed would otherwise be shown for ever.
func (t *Table) List(ctx context.Context) ([]Entry, error) {
	all, _, err := t.records(ctx)
	if err != nil {
		return nil, err
	}
	statuses, err := t.Status.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the cameras' statuses: %w", err)
	}
	workers, err := t.Workers.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the workers: %w", err)
	}
	return t.entries(all, statuses, workers), nil
}

// Records returns every camera as it is on the table, in order of their names.
func (t *Table) Records(ctx context.Context) (out []topics.Camera, err error) {
	all, _, err := t.records(ctx)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name])
	}
	return out, err
}

func (t *Table) entries(all map[string]topics.Camera, statuses, workers map[string]bus.Message) []Entry {
	entries := make([]Entry, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := t.status(name, statuses, workers)
		if all[name].Disabled {
			s = asDisabled(s)
		}
		entries = append(entries, Entry{Camera: all[name], Status: s})
	}
	return entries
}

// asDisabled is the status of a camera that is disabled, whether or not a worker has said so.
func asDisabled(was topics.StreamStatus) topics.StreamStatus {
	s := topics.StreamStatus{Camera: was.Camera, State: topics.StreamStopped, Reason: topics.DisabledReason}
	if was.State == s.State && was.Reason == s.Reason {
		s.Since = was.Since
	}
	return s
}

// status is a camera's status, as far as it still counts.
func (t *Table) status(name string, statuses, workers map[string]bus.Message) topics.StreamStatus {
	m, ok := statuses[name]
	if !ok {
		return topics.StreamStatus{Camera: name, Reason: "no worker has taken it up"}
	}
	s, err := topics.DecodeStatus(m.Value)
	if err != nil || s.Camera != name {
		return topics.StreamStatus{Camera: name, Reason: "its status can't be read"}
	}
	if why := t.outdated(s, m, workers); why != "" {
		s.State, s.Reason, s.RetryAt = "", why, time.Time{}
	}
	return s
}

// outdated is why a status no longer counts, empty if it does.
func (t *Table) outdated(s topics.StreamStatus, m bus.Message, workers map[string]bus.Message) string {
	if s.State == topics.StreamStopped || s.Worker == "" {
		return "" // true whatever has become of its worker: nothing runs
	}
	row, ok := workers[s.Worker]
	w, err := topics.DecodeWorker(row.Value)
	if !ok || err != nil {
		if t.Age(m) < goneAfter {
			return "" // the worker has just started: its own record is still to come
		}
		return "its worker " + s.Worker + " is gone"
	}
	if age := t.Age(row); age >= goneAfter {
		return fmt.Sprintf("its worker %s has not been heard of for %v", s.Worker, age.Round(time.Second))
	}
	held, ok := w.Stages["ingest"]
	if ok && held.Generation > s.Generation && s.Generation > 0 && !slices.Contains(held.Partitions, m.Partition) {
		return "its worker " + s.Worker + " no longer holds it"
	}
	return ""
}
