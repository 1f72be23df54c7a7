package alerts

import (
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

// clockWarnings are the cameras whose host's clock is ahead, which is reported:
// nothing is alerted on for them.
type clockWarnings map[string]bool

// maxClockWarnings bounds what records can make of that.
const maxClockWarnings = 100

// note takes what became of a camera's record.
func (c *clockWarnings) note(r telemetry.Reporter, camera string, err error) {
	part := "clock of camera " + camera
	switch {
	case errors.Is(err, errAhead) && !(*c)[camera] && len(*c) < maxClockWarnings:
		if *c == nil {
			*c = clockWarnings{}
		}
		(*c)[camera] = true
		r.Warning(part, fmt.Errorf("its clips raise no alerts, set the clock of the host that reads it: %w", err))
	case err == nil && (*c)[camera]:
		delete(*c, camera)
		r.Warning(part, nil)
	}
}
