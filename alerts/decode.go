package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// maxAhead is how far ahead of the broker's clock a record may be dated: after an
// alert dated 2100 every other one would count as already seen.
const maxAhead = 5 * time.Minute

// errAhead says that a record is dated in the future.
var errAhead = errors.New("dated in the future")

// checkDate compares the time inside a record with the time the broker gave it.
func checkDate(m bus.Message, at time.Time) error {
	if ahead := at.Sub(m.Time); ahead > maxAhead {
		return fmt.Errorf("%w: %v is %v ahead of Kafka's clock, at most %v is allowed", errAhead, at, ahead.Round(time.Second), maxAhead)
	}
	return nil
}

// decode decodes a recognition and checks its date. With errAhead it returns the
// recognition too.
func decode(m bus.Message) (topics.Recognition, error) {
	rec, err := topics.DecodeRecognition(m.Value)
	if err != nil {
		return rec, err
	}
	if err := checkDate(m, rec.End); err != nil {
		return rec, fmt.Errorf("recognition %q: %w", rec.ClipID, err)
	}
	return rec, nil
}

// warnings are the warnings about single cameras that are in force.
type warnings struct {
	reporter telemetry.Reporter
	standing map[string]bool
}

// manyUnreadable is how many recognitions of a partition in a row can't be read
// before that is more than a stray record.
const manyUnreadable = 5

// maxWarnings bounds them: whoever can write records can cause one for each name.
const maxWarnings = 100

// set reports what is wrong about a camera; nil ends the warning.
func (w *warnings) set(part string, err error) {
	switch stands := w.standing[part]; {
	case err != nil && !stands && len(w.standing) < maxWarnings:
		w.standing[part] = true
		w.reporter.Warning(part, err)
	case err == nil && stands:
		delete(w.standing, part)
		w.reporter.Warning(part, nil)
	}
}

// look warns of a camera all of whose records are wrong: dated in the future, or
// in the wrong partition. err is what decode returned.
func (w *worker) look(ctx context.Context, m bus.Message, rec topics.Recognition, err error) {
	readable := err == nil || errors.Is(err, errAhead)
	w.lookAtReading(m.Partition, readable, err)
	if !readable {
		return
	}
	clock := err
	if clock != nil {
		clock = fmt.Errorf("its clips raise no alerts; set the clock of the host that runs ingest for it: %w", err)
	}
	w.warnings.set("clock of camera "+rec.Camera, clock)
	w.warnings.set("contrast of camera "+rec.Camera, w.unmeasured(rec))
	home, err := w.home(ctx, m.Topic, rec.Camera)
	if err != nil {
		return
	}
	var misplaced error
	if home != m.Partition {
		misplaced = fmt.Errorf("its recognitions are in partition %d instead of %d, so that its open alerts are forgotten when another worker takes over: their producer must partition by murmur2, as Kafka's own clients do", m.Partition, home)
	}
	w.warnings.set("partition of camera "+rec.Camera, misplaced)
}

// lookAtReading reports a partition in which one recognition after another can't be
// read: its cameras raise no alerts, though the partition makes progress.
func (w *worker) lookAtReading(partition int, readable bool, err error) {
	part := fmt.Sprintf("recognitions of partition %d", partition)
	w.unreadable++
	switch {
	case readable:
		w.unreadable = 0
		w.warnings.set(part, nil)
	case w.unreadable >= manyUnreadable:
		w.warnings.set(part, fmt.Errorf("the last %d can't be read, and raise no alerts: %w", w.unreadable, err))
	}
}

// home is the partition that a camera's records belong in. It is looked up once.
func (w *worker) home(ctx context.Context, topic, camera string) (int, error) {
	if home, known := w.homes[camera]; known {
		return home, nil
	}
	home, err := w.Bus.PartitionOf(ctx, topic, []byte(camera))
	if err == nil {
		if len(w.homes) >= maxCameras {
			clear(w.homes)
		}
		w.homes[camera] = home
	}
	return home, err
}
