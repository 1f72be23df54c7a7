package topics

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Threshold is the contrast at which a rule with a budget of false alarms raises on
// a camera, and what it rests on.
type Threshold struct {
	Camera   string    `json:"camera"`
	Rule     string    `json:"rule"`
	RuleHash string    `json:"rule_hash"` // of the rule as it was; for another one the threshold does not count
	Budget   string    `json:"budget"`    // as written in the rule, such as "1 per week"
	Raise    float64   `json:"raise"`
	Clear    float64   `json:"clear"`
	At       time.Time `json:"at"` // when it was worked out
	// Learning: there is too little past of this camera, so that the threshold is
	// that of other cameras, or a default.
	Learning bool `json:"learning,omitempty"`
	// Since and Until bound the past that it rests on; Days, Clips and Happenings
	// are how much of it was used: time with clips, clips that were evaluated, and
	// times at which the rule would have raised at a low threshold.
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	Days       float64   `json:"days,omitempty"`
	Clips      int       `json:"clips,omitempty"`
	Happenings int       `json:"happenings,omitempty"`
	// Tail says how the threshold was found: "counted" from the past itself,
	// "extrapolated" by a distribution fitted to its highest values, or "least": a
	// lower one would keep the budget too, but none is that low.
	Tail       string `json:"tail,omitempty"`
	Model      string `json:"model_id,omitempty"`
	References string `json:"references,omitempty"` // their hash
	Words      string `json:"words,omitempty"`      // a hash of the texts of the rule's labels
	// Next is what was found for a model that is to take this one's place: it counts from
	// the first clip of that model on. nil: nothing was.
	Next *Threshold `json:"next,omitempty"`
}

// Validate checks everything that readers rely on.
func (t Threshold) Validate() error {
	if err := checkRule(t.Camera, t.Rule); err != nil {
		return err
	}
	if err := checkIDs(map[string]string{"rule_hash": t.RuleHash, "budget": t.Budget, "tail": t.Tail, "model_id": t.Model, "references": t.References, "words": t.Words}); err != nil {
		return err
	}
	if !inUnit(t.Raise) || !inUnit(t.Clear) || t.Clear > t.Raise {
		return fmt.Errorf("raise %v, clear %v: want 0 to 1, and clear not above raise", t.Raise, t.Clear)
	}
	if n := t.Next; n != nil {
		if n.Next != nil || n.Camera != t.Camera || n.Rule != t.Rule || n.Model == "" {
			return errors.New("next: want a threshold of the same camera and rule, of a model, without another next")
		}
		if err := n.Validate(); err != nil {
			return fmt.Errorf("next: %w", err)
		}
	}
	if math.IsNaN(t.Days) || t.Days < 0 || t.Clips < 0 || t.Happenings < 0 {
		return fmt.Errorf("days %v, clips %d, happenings %d: want 0 or more", t.Days, t.Clips, t.Happenings)
	}
	return nil
}

// inUnit is false for NaN as well.
func inUnit(v float64) bool { return v >= 0 && v <= 1 }

// EncodeThreshold makes the JSON record.
func EncodeThreshold(t Threshold) ([]byte, error) { return encodeChecked("threshold", t) }

// DecodeThreshold parses and validates a record of the topic thresholds.
func DecodeThreshold(b []byte) (Threshold, error) {
	return decodeChecked[Threshold]("threshold", b, thresholdBounds)
}
