package topics

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// CloudEvents types of the records.
const (
	TypeRecognition    = "frostwatch.recognition.v1"
	TypeAlertRaised    = "frostwatch.alert.raised.v1"
	TypeAlertEscalated = "frostwatch.alert.escalated.v1"
	TypeAlertCleared   = "frostwatch.alert.cleared.v1"
)

// ContentType is the media type of CloudEvents records. They are in structured
// mode: the record's value is the whole event.
const ContentType = "application/cloudevents+json"

// encodeEvent wraps data as a CloudEvents 1.0 event in JSON, with the camera as
// its subject. Repeated work must give the same id.
func encodeEvent(kind, id, camera string, at time.Time, data any) ([]byte, error) {
	e := cloudevents.New("1.0")
	e.SetType(kind)
	e.SetID(id)
	e.SetSource("frostwatch/" + camera)
	e.SetSubject(camera)
	e.SetTime(at.UTC())
	if err := e.SetData("application/json", data); err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	if err := e.Validate(); err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	return b, nil
}

// envelope is what readers use of a CloudEvents event in JSON. encoding/json passes
// over all other attributes; the SDK's decoder would build each, whatever is in it.
type envelope struct {
	Version string          `json:"specversion"`
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Data    json.RawMessage `json:"data"`
	Base64  []byte          `json:"data_base64"` // the data as some producers write it
}

// decodeEvent parses a CloudEvents 1.0 event in JSON, which must be of one of the
// wanted types, and decodes its data into data.
func decodeEvent(b []byte, data any, of bounds, want ...string) error {
	var e envelope
	if err := decodeJSON(b, &e, of); err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	switch {
	case e.Version != "1.0":
		return fmt.Errorf("decode event %.80q: specversion %.80q, want 1.0", e.ID, e.Version)
	case !slices.Contains(want, e.Type):
		return fmt.Errorf("decode event %.80q: type %.80q, want one of %v", e.ID, e.Type, want)
	case e.Data == nil:
		e.Data = e.Base64 // has not been checked yet
	}
	if err := decodeJSON(e.Data, data, of); err != nil {
		return fmt.Errorf("decode %s %.80q: %w", e.Type, e.ID, err)
	}
	return nil
}
