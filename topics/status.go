package topics

import (
	"encoding/json"
	"fmt"
	"time"
)

// StreamState is what a camera's stream is doing.
type StreamState string

// A stream goes connecting → streaming, and on any fault to waiting (for the
// next try) and connecting again; stopped when the camera is removed or its
// worker leaves.
const (
	StreamConnecting StreamState = "connecting"
	StreamStreaming  StreamState = "streaming"
	StreamWaiting    StreamState = "waiting"
	StreamStopped    StreamState = "stopped"
)

// StreamStatus is the latest state of one camera's stream.
type StreamStatus struct {
	Camera string      `json:"camera"`
	State  StreamState `json:"state"`
	// Reason is for people: "no route to host", "wrong user name or password",
	// "no frame for 15s". Never holds a URL's password.
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	Worker string    `json:"worker,omitempty"`
	// Generation of the ingest group under which the worker holds the camera. Of
	// two statuses the one of the newer generation counts.
	Generation int       `json:"generation,omitempty"`
	Attempt    int       `json:"attempt,omitempty"` // tries since frames last came
	RetryAt    time.Time `json:"retry_at,omitzero"`
	Codec      string    `json:"codec,omitempty"`
	Width      int       `json:"width,omitempty"`
	Height     int       `json:"height,omitempty"`
	FPS        float64   `json:"fps,omitempty"`
}

// EncodeStatus writes the JSON record; the reason is cleaned.
func EncodeStatus(s StreamStatus) ([]byte, error) {
	s.Reason = Clean(s.Reason)
	return json.Marshal(s)
}

// DecodeStatus reads a record of the status topic. Its texts are cleaned: they are
// for showing.
func DecodeStatus(b []byte) (StreamStatus, error) {
	var s StreamStatus
	if err := json.Unmarshal(b, &s); err != nil {
		return StreamStatus{}, fmt.Errorf("decode status: %w", err)
	}
	if !cameraName.MatchString(s.Camera) {
		return StreamStatus{}, fmt.Errorf("decode status: camera %.80q is not a camera name", s.Camera)
	}
	switch s.State {
	case StreamConnecting, StreamStreaming, StreamWaiting, StreamStopped:
	default:
		return StreamStatus{}, fmt.Errorf("decode status of %s: state %.80q", s.Camera, s.State)
	}
	s.Reason, s.Worker, s.Codec = Clean(s.Reason), Clean(s.Worker), Clean(s.Codec)
	return s, nil
}
