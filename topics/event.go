package topics

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// CloudEvents types of the records.
const (
	TypeRecognition  = "frostwatch.recognition.v1"
	TypeAlertRaised  = "frostwatch.alert.raised.v1"
	TypeAlertCleared = "frostwatch.alert.cleared.v1"
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

// decodeEvent parses a CloudEvents event in JSON, which must be of one of the
// wanted types, and decodes its data into data.
func decodeEvent(b []byte, data any, want ...string) error {
	var e cloudevents.Event
	if err := json.Unmarshal(b, &e); err != nil {
		return fmt.Errorf("decode event: %s", Clean(err.Error())) // it quotes the record
	}
	for _, kind := range want {
		if e.Type() != kind {
			continue
		}
		if err := e.DataAs(data); err != nil {
			return fmt.Errorf("decode %s %.80q: %s", kind, e.ID(), Clean(err.Error()))
		}
		return nil
	}
	return fmt.Errorf("decode event %.80q: type %.80q, want one of %v", e.ID(), e.Type(), want)
}
