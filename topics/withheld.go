package topics

import (
	"errors"
	"fmt"
	"time"
)

// WithheldAlert is what a silence or a profile has kept from a receiver of one alert, so that it
// can be delivered if the alert is still open afterwards; or a film of the alert that is to
// follow, when it is there.
type WithheldAlert struct {
	// Receiver is its group of consumers, and "/film" where a film is to follow.
	Receiver string `json:"receiver"`
	Alert    string `json:"alert_id"`
	// Key is that of the alert's records, which are in the partition of the same number.
	Key    string   `json:"key"`
	Rule   string   `json:"rule"`
	Camera string   `json:"camera"`
	Tags   []string `json:"camera_tags,omitempty"`
	// At is when Kafka took the first record that was withheld.
	At time.Time `json:"at"`
	// Offsets are those of the alert's records that were withheld, by state. With a clear,
	// the alert is over and nothing of it is delivered.
	Offsets map[AlertState]int64 `json:"offsets"`
	// Delivered: it was delivered after all. The record is removed once the receiver's
	// group has committed the offsets.
	Delivered bool `json:"delivered,omitempty"`
}

// TableKey is its key in the table of what is withheld.
func (w WithheldAlert) TableKey() string { return w.Receiver + "/" + w.Alert }

// Over is whether nothing more is to be delivered of it.
func (w WithheldAlert) Over() bool {
	_, cleared := w.Offsets[AlertCleared]
	return cleared || w.Delivered
}

// Last is the highest of its offsets.
func (w WithheldAlert) Last() int64 {
	last := int64(-1)
	for _, offset := range w.Offsets {
		last = max(last, offset)
	}
	return last
}

// Validate checks everything that readers rely on.
func (w WithheldAlert) Validate() error {
	switch {
	case !isID(w.Receiver) || !isID(w.Key):
		return fmt.Errorf("receiver and key: want at most %d bytes of printable text each", maxID)
	case w.Alert == "" || len(w.Alert) > maxAlertID || !Printable(w.Alert):
		return fmt.Errorf("alert_id: want 1 to %d bytes of printable text", maxAlertID)
	case !isID(w.Rule):
		return fmt.Errorf("rule: want 1 to %d bytes of printable text", maxID)
	case !cameraName.MatchString(w.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", w.Camera)
	case !areTags(w.Tags):
		return errBadTags
	case w.At.IsZero() || !ordinary(w.At) || len(w.Offsets) == 0:
		return errors.New("want a time, and at least one offset")
	}
	for state, offset := range w.Offsets {
		if offset < 0 || state != AlertRaised && state != AlertEscalated && state != AlertCleared {
			return fmt.Errorf("offsets: %.80q: %d: want an offset of raised, escalated or cleared", state, offset)
		}
	}
	return nil
}

// EncodeWithheld makes the JSON record.
func EncodeWithheld(w WithheldAlert) ([]byte, error) { return encodeChecked("withheld", w) }

// DecodeWithheld parses and validates a record of the topic withheld.
func DecodeWithheld(b []byte) (WithheldAlert, error) {
	return decodeChecked[WithheldAlert]("withheld", b, withheldBounds)
}
