package topics

import (
	"encoding/json"
	"fmt"
	"time"
)

// StreamState is what a camera's stream is doing.
type StreamState string

// A stream is connecting, then streaming. After a fault it is waiting for the next
// try, then connecting again. It is stopped when the camera is removed, can't be
// used, or is given up by its worker.
const (
	StreamConnecting StreamState = "connecting"
	StreamStreaming  StreamState = "streaming"
	StreamWaiting    StreamState = "waiting"
	StreamStopped    StreamState = "stopped"
)

// DisabledReason is the reason of a stream that is stopped because its camera is disabled.
const DisabledReason = "it is disabled"

func (s StreamState) known() bool {
	return s == StreamConnecting || s == StreamStreaming || s == StreamWaiting || s == StreamStopped
}

// StreamStatus is the latest state of one camera's stream.
type StreamStatus struct {
	Camera string      `json:"camera"`
	State  StreamState `json:"state"`
	// Reason is for people, such as "no route to host", "wrong user name or
	// password", "no frame for 15s". It never contains a URL's password. Of a camera that
	// streams it is why no clip has come of that for a while.
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	Worker string    `json:"worker,omitempty"`
	// Generation is that of the ingest group in which the worker was assigned the
	// camera. Of two statuses the one with the higher generation counts.
	Generation int       `json:"generation,omitempty"`
	Attempt    int       `json:"attempt,omitempty"` // tries since the last frame
	RetryAt    time.Time `json:"retry_at,omitzero"`
	Codec      string    `json:"codec,omitempty"`
	Width      int       `json:"width,omitempty"`
	Height     int       `json:"height,omitempty"`
	FPS        float64   `json:"fps,omitempty"` // as the container says, or as measured at the start
	// At is when this was so, by the worker's clock, as all times of the record are.
	// The record is repeated with a later At: every StatusEvery while something is wrong,
	// else every minute.
	// Records of older versions have none of the fields from here on.
	At time.Time `json:"at,omitzero"`
	// OfflineSince is since when the camera has not given video for as long as a clip
	// takes; zero: it gives video, or its recording has ended.
	OfflineSince time.Time `json:"offline_since,omitzero"`
	// Rate is how many frames a second came of late; 0: not known.
	Rate float64 `json:"rate,omitempty"`
	// Damaged is the share of them that are damaged: parts are missing of them, or of
	// those they refer to.
	Damaged float64 `json:"damaged,omitempty"`
	// Picture says what is wrong with the video; nil: not known.
	Picture *PictureFaults `json:"picture,omitempty"`
	// Main is the state of the stream that films of alerts are made of, where the camera
	// has another to look at (Camera.Watch), which all else here is about; nil: it has none,
	// or no films are made.
	Main *MainStream `json:"main,omitempty"`
}

// MainStream is the state of a stream that is read for films alone.
type MainStream struct {
	State StreamState `json:"state"`
	// Reason is why nothing comes of it, for people.
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	Codec   string    `json:"codec,omitempty"`
	Width   int       `json:"width,omitempty"`
	Height  int       `json:"height,omitempty"`
}

// NoFilms is why no films of the camera's alerts are made for want of its main stream;
// empty: they are, or nothing is known.
func (s StreamStatus) NoFilms() string {
	if s.Main == nil || s.Main.State == StreamStreaming || s.Main.Reason == "" {
		return ""
	}
	return "no films of its alerts: the main stream: " + s.Main.Reason
}

// Why is what is wrong with a camera's streams, in words; empty: nothing.
func (s StreamStatus) Why() string {
	why, films := s.Reason, s.NoFilms()
	if films != "" && s.Main.Reason == why { // both streams are of one camera
		return why + "; no films of its alerts either"
	}
	if why != "" && films != "" {
		return why + "; " + films
	}
	return why + films
}

// StatusEvery is how often a status is repeated while something is wrong with the
// camera.
const StatusEvery = 10 * time.Second

// PictureFaults are since when the pictures of a stream have been of no use, in each
// way that is looked for; zero: they are not.
type PictureFaults struct {
	BlackSince  time.Time `json:"black_since,omitzero"`  // almost all of it is black
	FrozenSince time.Time `json:"frozen_since,omitzero"` // the same picture again and again
	// Lens is nil until the camera's usual view is known. Older workers don't know of it.
	Lens *LensFaults `json:"lens,omitempty"`
}

// LensFaults are since when the pictures have been unlike what the camera usually
// shows, in each way that is told apart; at most one is not zero.
type LensFaults struct {
	CoveredSince   time.Time `json:"covered_since,omitzero"`   // little is to be seen
	MovedSince     time.Time `json:"moved_since,omitzero"`     // another view
	DefocusedSince time.Time `json:"defocused_since,omitzero"` // the same without its details
}

// Fine is whether nothing is wrong with the pictures as far as is known.
func (p PictureFaults) Fine() bool {
	return p.BlackSince.IsZero() && p.FrozenSince.IsZero() && (p.Lens == nil || *p.Lens == LensFaults{})
}

// EncodeStatus makes the JSON record; the reason is cleaned.
func EncodeStatus(s StreamStatus) ([]byte, error) {
	s.Reason = Clean(s.Reason)
	if s.Main != nil {
		m := *s.Main
		m.Reason = Clean(m.Reason)
		s.Main = &m
	}
	return json.Marshal(s)
}

// DecodeStatus parses a record of the status topic. Its texts are cleaned, so that
// they can be shown.
func DecodeStatus(b []byte) (StreamStatus, error) {
	var s StreamStatus
	if err := decodeJSON(b, &s, statusBounds); err != nil {
		return StreamStatus{}, fmt.Errorf("decode status: %w", err)
	}
	if !cameraName.MatchString(s.Camera) {
		return StreamStatus{}, fmt.Errorf("decode status: camera %.80q is not a camera name", s.Camera)
	}
	if !s.State.known() || s.Main != nil && !s.Main.State.known() {
		return StreamStatus{}, fmt.Errorf("decode status of %s: state %.80q", s.Camera, s.State)
	}
	if s.Main != nil {
		s.Main.Reason, s.Main.Codec = Clean(s.Main.Reason), Clean(s.Main.Codec)
	}
	s.Reason, s.Worker, s.Codec = Clean(s.Reason), Clean(s.Worker), Clean(s.Codec)
	return s, nil
}
