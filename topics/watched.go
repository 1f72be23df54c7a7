package topics

import (
	"encoding/json"
	"fmt"
)

// WatchedLabels are the labels that a rule is about on a camera, its tags and `novel`
// expanded. infer scores them on every clip of the camera, also if they are not
// among the best.
type WatchedLabels struct {
	Camera string   `json:"camera"`
	Rule   string   `json:"rule"`
	Labels []string `json:"labels"` // at most MaxLabels
}

// Validate checks everything that readers rely on.
func (w WatchedLabels) Validate() error {
	if err := checkRule(w.Camera, w.Rule); err != nil {
		return err
	}
	if len(w.Labels) == 0 || len(w.Labels) > MaxLabels {
		return fmt.Errorf("labels: %d elements, want 1 to %d", len(w.Labels), MaxLabels)
	}
	for _, l := range w.Labels {
		if !isID(l) {
			return fmt.Errorf("label %.80q: want 1 to %d bytes of printable text", l, maxID)
		}
	}
	return nil
}

// EncodeWatched makes the JSON record.
func EncodeWatched(w WatchedLabels) ([]byte, error) {
	if err := w.Validate(); err != nil {
		return nil, fmt.Errorf("encode watched labels: %w", err)
	}
	return json.Marshal(w)
}

// DecodeWatched parses and validates a record of the topic watched.
func DecodeWatched(b []byte) (WatchedLabels, error) {
	var w WatchedLabels
	if err := decodeJSON(b, &w, watchedBounds); err != nil {
		return WatchedLabels{}, fmt.Errorf("decode watched labels: %w", err)
	}
	if err := w.Validate(); err != nil {
		return WatchedLabels{}, fmt.Errorf("decode watched labels: %w", err)
	}
	return w, nil
}
