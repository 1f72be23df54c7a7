package topics

import (
	"fmt"
	"time"
)

// AlertState says what a record does to an alert.
type AlertState string

// An alert is raised once, may then be escalated once, and is cleared once.
const (
	AlertRaised    AlertState = "raised"
	AlertEscalated AlertState = "escalated" // it is still open, and has a higher severity from now on
	AlertCleared   AlertState = "cleared"
)

// Alert is a record that raises, escalates or clears an alert of a rule on a camera.
type Alert struct {
	ID       string     `json:"alert_id"` // the same for all its states
	State    AlertState `json:"state"`
	Rule     string     `json:"rule"`
	Severity string     `json:"severity"`
	Camera   string     `json:"camera"`
	Tags     []string   `json:"camera_tags,omitempty"`
	// Cameras are, for a rule that counts cameras, those that showed it when the alert was
	// raised, sorted, at most MaxAlertCameras; empty for other rules. Camera is then the one
	// with which they were enough. Such alerts are in the partition of their rule.
	Cameras []string `json:"cameras,omitempty"`
	// Label, Score, Similarity and Contrast are those of the best matching label of the clip
	// that decided. A clear that no clip decided, or a clip without a score for the
	// alert's label, has that label and none of the three: they are 0, and absent
	// from the record. Reason says why.
	Label string `json:"label"`
	// Absent: the rule is about what has not been seen, so the label did not show.
	Absent     bool    `json:"absent,omitempty"`
	Score      float64 `json:"score,omitempty"`
	Similarity float64 `json:"similarity,omitempty"`
	Contrast   float64 `json:"contrast,omitempty"`
	// View and Box say in which part of the picture that was; absent where the camera
	// names no views.
	View View `json:"view,omitempty"`
	Box  *Box `json:"box,omitempty"`
	// Zone is the zone of the camera in which that was, for a rule about zones.
	Zone string `json:"zone,omitempty"`
	// Measure is what the rule compares: "contrast", "score" or "similarity"; or it is
	// "stream", for an alert about the camera's stream, which has neither scores nor
	// clips nor a model: its label says what is wrong.
	// Threshold is the value of it at which the label counted for raising when the
	// clip was evaluated. Alerts of older versions have neither: they are by score.
	Measure     string  `json:"measure,omitempty"`
	Threshold   float64 `json:"threshold,omitempty"`
	Novel       bool    `json:"novel"`
	NearestBase string  `json:"nearest_base,omitempty"`
	// Onset is the start of the first clip that counted towards the alert, At the
	// end of the clip that raised or cleared it: when it happened in front of the
	// camera, not when it was computed.
	Onset     time.Time `json:"onset"`
	At        time.Time `json:"at"`
	OnsetClip string    `json:"onset_clip_id"`
	Clip      string    `json:"clip_id"` // the clip that decided
	// Reason, for people. Of a clear: the score fell, the label left the vocabulary,
	// no clips came, the rule was removed. Of an escalation: how long it has been
	// open. Of a raise where label and score don't say it: what has not been seen, and
	// for how long.
	Reason string `json:"reason,omitempty"`
	// Evidence is the position of a copy of the clip that raised the alert, on the
	// evidence topic. Alerts of older versions point to the clip itself, which is
	// kept for a day.
	Evidence *RecordRef `json:"evidence,omitempty"`
	// Notify are the receivers that the rule named when the alert was raised: no other
	// gets what happens to it. Empty: any may.
	Notify []string `json:"notify,omitempty"`
	// Verify is, of a raise, what the rule wants a second opinion to be asked; empty: what
	// notify asks of all.
	Verify string   `json:"verify,omitempty"`
	Model  string   `json:"model_id"`
	Vocab  VocabRef `json:"vocabulary"`
}

// MaxAlertCameras bounds the cameras that an alert lists.
const MaxAlertCameras = 1000

// Key is the key of the alert's record, and with it its partition.
func (a Alert) Key() string {
	if len(a.Cameras) > 0 {
		return a.Rule
	}
	return a.Camera
}

// OpenKey is the key of the alert in the table of open alerts. One of a rule that counts
// cameras is of no single camera, so that its rule has only one.
func (a Alert) OpenKey() string {
	if len(a.Cameras) > 0 {
		return RuleKey("", a.Rule)
	}
	return RuleKey(a.Camera, a.Rule)
}

// EventID is the CloudEvents id, different for each state of an alert.
func (a Alert) EventID() string { return a.ID + "/" + string(a.State) }

// Value is the value of what the rule compares; 0 where the alert has no score.
func (a Alert) Value() float64 {
	switch a.Measure {
	case "contrast":
		return a.Contrast
	case "similarity":
		return a.Similarity
	}
	return a.Score
}

// About is the label, for people: "no" and the label where that is what has not been seen.
func (a Alert) About() string {
	if a.Absent {
		return "no " + a.Label
	}
	return a.Label
}

// DecodeOpenAlert parses and validates a record of the table of open alerts, which is not
// empty: an alert that is raised, under its own key.
func DecodeOpenAlert(key, value []byte) (Alert, error) {
	a, err := DecodeAlert(value)
	if err == nil && (a.OpenKey() != string(key) || a.State != AlertRaised) {
		return Alert{}, fmt.Errorf("decode open alert: the record of key %.80q is no open alert of its", key)
	}
	return a, err
}

// EncodeAlert makes the CloudEvents record of a valid alert.
func EncodeAlert(a Alert) ([]byte, error) {
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("encode alert %.80q: %w", a.ID, err)
	}
	kind := map[AlertState]string{AlertRaised: TypeAlertRaised, AlertEscalated: TypeAlertEscalated, AlertCleared: TypeAlertCleared}[a.State]
	return encodeEvent(kind, a.EventID(), a.Camera, a.At, a)
}

// DecodeAlert parses and validates a record of the alerts topic.
func DecodeAlert(b []byte) (Alert, error) {
	var a Alert
	if err := decodeEvent(b, &a, alertBounds, TypeAlertRaised, TypeAlertEscalated, TypeAlertCleared); err != nil {
		return Alert{}, err
	}
	if err := a.Validate(); err != nil {
		return Alert{}, fmt.Errorf("decode alert %.80q: %w", a.ID, err)
	}
	return a, nil
}

// Validate checks everything that readers rely on. Anyone may write records, so
// Decode functions call it too.
func (a Alert) Validate() error {
	switch {
	case a.ID == "" || len(a.ID) > maxAlertID || !Printable(a.ID):
		return fmt.Errorf("alert_id: want 1 to %d bytes of printable text", maxAlertID)
	case !isID(a.Rule):
		return fmt.Errorf("rule: want 1 to %d bytes of printable text", maxID)
	case a.State != AlertRaised && a.State != AlertEscalated && a.State != AlertCleared:
		return fmt.Errorf("state %.80q: want raised, escalated or cleared", a.State)
	case !cameraName.MatchString(a.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", a.Camera)
	case !areTags(a.Tags):
		return errBadTags
	case !ordinary(a.Onset, a.At):
		return fmt.Errorf("onset %v, at %v: want years of 1 to 9998", a.Onset, a.At)
	case len(a.Cameras) > MaxAlertCameras:
		return fmt.Errorf("cameras: %d elements, want at most %d", len(a.Cameras), MaxAlertCameras)
	}
	for _, name := range a.Cameras {
		if !cameraName.MatchString(name) {
			return fmt.Errorf("cameras: %.80q is not a camera name", name)
		}
	}
	if err := checkIDs(map[string]string{
		"severity": a.Severity, "measure": a.Measure, "label": a.Label, "nearest_base": a.NearestBase, "onset_clip_id": a.OnsetClip, "clip_id": a.Clip,
		"model_id": a.Model, "vocabulary name": a.Vocab.Name, "vocabulary version": a.Vocab.Version,
	}); err != nil {
		return err
	}
	if a.Evidence != nil && !isTopic(a.Evidence.Topic) {
		return fmt.Errorf("evidence: %w", errBadTopic)
	}
	if err := checkPlace(a.View, a.Box); err != nil {
		return err
	}
	if a.Zone != "" {
		if err := CheckZoneName(a.Zone); err != nil {
			return err
		}
	}
	if len(a.Reason) > maxText || !Printable(a.Reason) {
		return fmt.Errorf("reason: want at most %d bytes of printable text", maxText)
	}
	if err := CheckNotified(a.Notify); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	if err := CheckQuestion(a.Verify); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return nil
}
