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

// maxAhead is how far ahead of the broker's clock a record may be dated: an alert
// from the year 2100 would make everything after it a thing of the past.
const maxAhead = 5 * time.Minute

// errAhead is a record that is dated in the future.
var errAhead = errors.New("dated in the future")

// checkDate compares what a record says of its time with the broker's.
func checkDate(m bus.Message, at time.Time) error {
	if ahead := at.Sub(m.Time); ahead > maxAhead {
		return fmt.Errorf("%w: %v is %v ahead of Kafka's clock, at most %v is taken", errAhead, at, ahead.Round(time.Second), maxAhead)
	}
	return nil
}

// decode reads a recognition that can be of now. With errAhead the recognition is
// given as well.
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

// warnings are those about single cameras that stand.
type warnings struct {
	reporter telemetry.Reporter
	standing map[string]bool
}

// maxWarnings bounds what records can make of that.
const maxWarnings = 100

// set reports why something about a camera is wrong, nil: it is not.
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

// look reports what is wrong with the records of a camera, but for what is wrong
// with one record alone; err is that of decode.
func (w *worker) look(ctx context.Context, m bus.Message, rec topics.Recognition, err error) {
	if err != nil && !errors.Is(err, errAhead) {
		return
	}
	clock := err
	if clock != nil {
		clock = fmt.Errorf("its clips raise no alerts, set the clock of the host that reads it: %w", err)
	}
	w.warnings.set("clock of camera "+rec.Camera, clock)
	home, err := w.home(ctx, m.Topic, rec.Camera)
	if err != nil {
		return
	}
	var misplaced error
	if home != m.Partition {
		misplaced = fmt.Errorf("its recognitions come in partition %d instead of %d, so that its alerts are forgotten when another worker takes over: their producer must partition by murmur2, as Kafka's own clients do", m.Partition, home)
	}
	w.warnings.set("partition of camera "+rec.Camera, misplaced)
}

// home is the partition of a camera, which is looked up once.
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
