package topics

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Sighting is a record for a rule that counts cameras: that one of them shows what the
// rule is about, or only how far a partition has come with its cameras, or both. The
// worker that holds the rule's partition of the topic counts.
type Sighting struct {
	Rule string `json:"rule"`
	// RuleHash is that of the rule that the clip was evaluated with; for another one it
	// does not count.
	RuleHash string `json:"rule_hash"`
	// Partition is the partition of the actions topic that this is about.
	Partition int `json:"partition"`
	// Through is the time up to which clips of all of the rule's cameras in the partition
	// have been evaluated, by their ends; zero: none of them sends clips, so that nobody
	// has to wait for the partition.
	Through time.Time `json:"through,omitzero"`
	Seen    *Seen     `json:"seen,omitempty"` // nil: the record only says how far it has come
}

// Seen is a clip with which so many of a camera's last clips show a rule's label as the
// rule wants.
type Seen struct {
	Camera string     `json:"camera"`
	Tags   []string   `json:"camera_tags,omitempty"`
	Start  time.Time  `json:"start"` // of the clip's window
	End    time.Time  `json:"end"`
	Label  LabelScore `json:"label"` // the best that matches; View is 0
	// View and Box are as in an Alert.
	View View `json:"view,omitempty"`
	Box  *Box `json:"box,omitempty"`
	// Measure and Threshold are as in an Alert.
	Measure   string    `json:"measure"`
	Threshold float64   `json:"threshold"`
	ClipID    string    `json:"clip_id"`
	Clip      RecordRef `json:"clip"` // position of the clip's record
	Model     string    `json:"model_id"`
	Vocab     VocabRef  `json:"vocabulary"`
}

// maxPartition is more than a topic has.
const maxPartition = 1 << 20

// Validate checks everything that readers rely on.
func (s Sighting) Validate() error {
	switch {
	case !isID(s.Rule):
		return fmt.Errorf("rule: want 1 to %d bytes of printable text", maxID)
	case s.Partition < 0 || s.Partition > maxPartition:
		return fmt.Errorf("partition %d: want 0 to %d", s.Partition, maxPartition)
	}
	if err := checkIDs(map[string]string{"rule_hash": s.RuleHash}); err != nil {
		return err
	}
	if s.Seen == nil {
		return nil
	}
	return s.Seen.validate()
}

func (s *Seen) validate() error {
	switch {
	case !isID(s.ClipID):
		return fmt.Errorf("clip_id: want 1 to %d bytes of printable text", maxID)
	case !cameraName.MatchString(s.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", s.Camera)
	case !areTags(s.Tags):
		return errBadTags
	case !isTopic(s.Clip.Topic):
		return fmt.Errorf("clip: %w", errBadTopic)
	case s.Start.IsZero() || !s.End.After(s.Start):
		return fmt.Errorf("window from %v to %v", s.Start, s.End)
	case math.IsNaN(s.Threshold) || math.IsInf(s.Threshold, 0):
		return errors.New("threshold: want a number")
	}
	if err := checkIDs(map[string]string{
		"measure": s.Measure, "model_id": s.Model, "vocabulary name": s.Vocab.Name, "vocabulary version": s.Vocab.Version,
	}); err != nil {
		return err
	}
	if err := checkPlace(s.View, s.Box); err != nil {
		return err
	}
	if s.Label.View != 0 {
		return fmt.Errorf("label %.80q: view %d of none", s.Label.Label, s.Label.View)
	}
	return s.Label.check()
}

// EncodeSighting makes the JSON record.
func EncodeSighting(s Sighting) ([]byte, error) { return encodeChecked("sighting", s) }

// DecodeSighting parses and validates a record of the topic sightings.
func DecodeSighting(b []byte) (Sighting, error) {
	return decodeChecked[Sighting]("sighting", b, sightingBounds)
}
