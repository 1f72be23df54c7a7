package pipe

import (
	"encoding/json"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Kind is what a message is.
type Kind string

// Messages to the process that reads.
const (
	Setup  Kind = "setup"  // the first: Text is what the process is built from
	Start  Kind = "start"  // read a camera
	Stop   Kind = "stop"   // stop reading one; with Text, which is why, a status says so
	Retag  Kind = "retag"  // tags and vocabulary of the clips to come
	Own    Kind = "own"    // cameras that are the operator's own, of those it has
	Open   Kind = "open"   // a record of the table of open alerts: Text is its key
	Trend  Kind = "trend"  // how reading that table goes: Error
	Finish Kind = "finish" // stop all and end
)

// Messages to the worker.
const (
	Clip    Kind = "clip"    // a call: a clip for Kafka
	Status  Kind = "status"  // of a camera
	Stopped Kind = "stopped" // a camera is read no longer
	Log     Kind = "log"
	Report  Kind = "report" // to the Reporter: What, Part and Error
	Beat    Kind = "beat"   // the process is alive, and what it has counted
	HasFilm Kind = "hasfilm"
	PutFilm Kind = "putfilm"
)

// Both ways.
const (
	Answer Kind = "answer" // to a call: Error, Moved, Has
	Cancel Kind = "cancel" // of a call
)

// Message is one message; which fields it has depends on its kind.
type Message struct {
	Kind Kind   `json:"kind"`
	ID   uint64 `json:"id,omitempty"`  // of a call
	Run  uint64 `json:"run,omitempty"` // a camera, from its start to its end
	Text string `json:"text,omitempty"`

	Setup   json.RawMessage   `json:"setup,omitempty"`
	Level   int               `json:"level,omitempty"` // of what is logged, at least
	Camera  *topics.Camera    `json:"camera,omitempty"`
	Own     []topics.Camera   `json:"own,omitempty"`
	Env     map[string]string `json:"env,omitempty"`    // what ${NAME} in URLs stands for
	Delay   time.Duration     `json:"delay,omitempty"`  // before the camera is read
	Offline time.Time         `json:"offline,omitzero"` // since when it was
	Counted time.Time         `json:"counted,omitzero"` // until when its time is accounted for
	Tags    []string          `json:"tags,omitempty"`
	Words   string            `json:"words,omitempty"` // the vocabulary

	Since time.Time         `json:"since,omitzero"` // when a clip was made
	Span  map[string]string `json:"span,omitempty"` // attributes of its span

	What  string `json:"what,omitempty"`
	Part  string `json:"part,omitempty"`
	Error string `json:"error,omitempty"`
	Moved bool   `json:"moved,omitempty"`
	Has   bool   `json:"has,omitempty"`

	Line  *Line             `json:"line,omitempty"`
	Tally *telemetry.Counts `json:"tally,omitempty"`
	Pulse *Pulse            `json:"pulse,omitempty"`

	Body []byte `json:"-"`
}

// Line is one of a log.
type Line struct {
	Time  time.Time `json:"time"`
	Level int       `json:"level"`
	Text  string    `json:"text"`
	Attrs []Attr    `json:"attrs,omitempty"`
}

// Attr is an attribute of a line.
type Attr struct {
	Key   string `json:"key"`
	Value any    `json:"value"` // text, number, truth, or a list of texts
}

// Pulse is how the cameras of a process are.
type Pulse struct {
	Streaming int              `json:"streaming"`
	Stuck     int              `json:"stuck"`             // of those, without clips
	Broken    int              `json:"broken"`            // of those, because their video breaks off
	Cameras   map[uint64]Vital `json:"cameras,omitempty"` // by run
}

// Vital is how one camera is.
type Vital struct {
	FPS     float64   `json:"fps,omitempty"`
	Counted time.Time `json:"counted,omitzero"` // until when its time is accounted for
}
