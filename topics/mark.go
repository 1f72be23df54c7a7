package topics

import (
	"fmt"
	"time"
)

// Mark is what a person said of an alert: whether it was true.
type Mark struct {
	Alert  string `json:"alert_id"`
	Camera string `json:"camera"`
	Rule   string `json:"rule"`
	Label  string `json:"label"`
	True   bool   `json:"true"`
	// Contrast, Score, Onset and Ended are those of the alert: its values when it was
	// raised, when its first clip began, and when it was cleared.
	Contrast float64   `json:"contrast,omitempty"`
	Score    float64   `json:"score,omitempty"`
	Onset    time.Time `json:"onset"`
	Ended    time.Time `json:"ended,omitzero"`
	Note     string    `json:"note,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"` // when it was marked
}

// Validate checks everything that readers rely on.
func (m Mark) Validate() error {
	if err := checkRule(m.Camera, m.Rule); err != nil {
		return err
	}
	switch {
	case m.Alert == "" || len(m.Alert) > maxAlertID || !Printable(m.Alert):
		return fmt.Errorf("alert_id: want 1 to %d bytes of printable text", maxAlertID)
	case !inUnit(m.Contrast) || !inUnit(m.Score):
		return fmt.Errorf("contrast %v, score %v: want 0 to 1", m.Contrast, m.Score)
	case len(m.Note) > maxText || !Printable(m.Note):
		return fmt.Errorf("note: want at most %d bytes of printable text", maxText)
	case m.Onset.IsZero() || m.At.IsZero():
		return fmt.Errorf("onset %v, at %v: both are required", m.Onset, m.At)
	}
	return checkIDs(map[string]string{"label": m.Label, "by": m.By})
}

// EncodeMark makes the JSON record.
func EncodeMark(m Mark) ([]byte, error) { return encodeChecked("mark", m) }

// DecodeMark parses and validates a record of the topic marks.
func DecodeMark(b []byte) (Mark, error) {
	return decodeChecked[Mark]("mark", b, markBounds)
}
