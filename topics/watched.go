package topics

import (
	"errors"
	"fmt"
	"slices"
)

// WatchedLabels are the labels that a rule is about on a camera. infer scores them
// on every clip of the camera, also if they are not among the best. It resolves tags
// and novel itself, by the vocabulary and the model that it scores the clip with.
type WatchedLabels struct {
	Camera string   `json:"camera"`
	Rule   string   `json:"rule"`
	Labels []string `json:"labels,omitempty"` // by name, whatever their case; at most MaxLabels
	Tags   []string `json:"tags,omitempty"`   // labels with any of them; background labels are left out
	Novel  bool     `json:"novel,omitempty"`  // all that are novel; background labels are left out
	// Score is what the rule raises at, if it compares the score, which sinks when
	// labels are added; 0: it compares something else.
	Score float64 `json:"score,omitempty"`
	// Zones are those of the camera that the rule is about: its labels are scored in each of
	// them. None: in the whole picture.
	Zones []string `json:"zones,omitempty"`
}

// Validate checks everything that readers rely on.
func (w WatchedLabels) Validate() error {
	if err := checkRule(w.Camera, w.Rule); err != nil {
		return err
	}
	switch {
	case len(w.Labels) == 0 && len(w.Tags) == 0 && !w.Novel:
		return errors.New("neither labels nor tags nor novel")
	case len(w.Labels) > MaxLabels:
		return fmt.Errorf("labels: %d elements, want at most %d", len(w.Labels), MaxLabels)
	case !inUnit(w.Score):
		return fmt.Errorf("score %v: want 0 to 1", w.Score)
	case len(w.Tags) > MaxLabels:
		return fmt.Errorf("tags: %d elements, want at most %d", len(w.Tags), MaxLabels)
	}
	if err := CheckZoneNames(w.Zones); err != nil {
		return err
	}
	for _, text := range slices.Concat(w.Labels, w.Tags) {
		if !isID(text) {
			return fmt.Errorf("label or tag %.80q: want 1 to %d bytes of printable text", text, maxID)
		}
	}
	return nil
}

// EncodeWatched makes the JSON record.
func EncodeWatched(w WatchedLabels) ([]byte, error) { return encodeChecked("watched labels", w) }

// DecodeWatched parses and validates a record of the topic watched.
func DecodeWatched(b []byte) (WatchedLabels, error) {
	return decodeChecked[WatchedLabels]("watched labels", b, watchedBounds)
}
