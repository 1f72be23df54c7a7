package topics

import (
	"fmt"
	"time"
)

// Says is what a second opinion says of an alert.
type Says string

// What it may say. Unverified is that of a model that could not be asked, did not answer
// in time, or answered something else.
const (
	SaysYes        Says = "yes"
	SaysNo         Says = "no"
	SaysUnsure     Says = "unsure"
	SaysUnverified Says = "unverified"
)

// Verdict is what a second opinion said of an alert: a model that was asked about its
// pictures before people were told. It is no mark: it teaches nothing.
type Verdict struct {
	Alert  string `json:"alert_id"`
	Camera string `json:"camera"`
	Rule   string `json:"rule"`
	Says   Says   `json:"verdict"`
	// Reason is why, in the model's words; of unverified: why nothing is known.
	Reason   string    `json:"reason,omitempty"`
	Question string    `json:"question,omitempty"`
	Model    string    `json:"model,omitempty"`   // as the configuration names it
	Seconds  float64   `json:"seconds,omitempty"` // that the answer took
	At       time.Time `json:"at"`
}

// Known is whether the model has given an answer.
func (s Says) Known() bool { return s == SaysYes || s == SaysNo || s == SaysUnsure }

// String says the verdict in words, for people; empty: there is none.
func (v Verdict) String() string {
	text := string(v.Says)
	if v.Reason != "" {
		text += ", " + v.Reason
	}
	return text
}

// Validate checks everything that readers rely on.
func (v Verdict) Validate() error {
	if err := checkRule(v.Camera, v.Rule); err != nil {
		return err
	}
	switch {
	case v.Alert == "" || len(v.Alert) > maxAlertID || !Printable(v.Alert):
		return fmt.Errorf("alert_id: want 1 to %d bytes of printable text", maxAlertID)
	case !v.Says.Known() && v.Says != SaysUnverified:
		return fmt.Errorf("verdict %.80q: want yes, no, unsure or unverified", v.Says)
	case len(v.Reason) > maxText || !Printable(v.Reason):
		return fmt.Errorf("reason: want at most %d bytes of printable text", maxText)
	case !(v.Seconds >= 0 && v.Seconds <= 3600): // NaN is not
		return fmt.Errorf("seconds %v: want 0 to 3600", v.Seconds)
	case v.At.IsZero():
		return fmt.Errorf("at: it is required")
	}
	if err := CheckQuestion(v.Question); err != nil {
		return fmt.Errorf("question: %w", err)
	}
	return checkIDs(map[string]string{"model": v.Model})
}

// EncodeVerdict makes the JSON record.
func EncodeVerdict(v Verdict) ([]byte, error) { return encodeChecked("verdict", v) }

// DecodeVerdict parses and validates a record of the topic verdicts.
func DecodeVerdict(b []byte) (Verdict, error) {
	return decodeChecked[Verdict]("verdict", b, verdictBounds)
}
