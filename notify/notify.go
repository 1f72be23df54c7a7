// Package notify delivers alerts to people and programs: a stage on the topic of
// alerts. Each receiver has a consumer group of its own, so that one that is down
// delays no other, and offsets are committed once it has accepted what they led to:
// nothing is lost, and what is delivered again after a crash has the same key.
package notify

import (
	"context"
	"errors"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Event is what happened to one alert, as it is delivered.
type Event struct {
	// Key is the same each time the event is delivered, so that a receiver can
	// ignore it if it comes again: the alert's id and its state.
	Key   string       `json:"key"`
	Text  string       `json:"text"` // in a sentence
	Alert topics.Alert `json:"alert"`
	// Filmstrip is a JPEG of the pictures of the clip that raised the alert, for receivers
	// with `pictures`.
	Filmstrip []byte `json:"filmstrip_jpeg,omitempty"`
	// Verdict is what a second opinion said of the alert; without one, all of it is empty.
	Verdict topics.Verdict `json:"verdict,omitzero"`
	// Film is an MP4 of what the camera showed from before the onset on, for receivers with
	// `film`. It is delivered alone, in an event whose key is the alert's id and "film".
	Film []byte `json:"film_mp4,omitempty"`

	// FilmAt is where the film is kept, without secrets: a folder's file, or s3://NAME/PATH.
	FilmAt string `json:"film_at,omitempty"`

	from bus.Message // the alert's record
	held *heldAlert  // of which this was withheld until now; nil: it was not
	// evidence reads the clip that raised the alert; nil where there is none, or nobody
	// wants it.
	evidence func(context.Context) (topics.Clip, error)
}

// Notification is what a receiver is sent at once: one event, or several that came
// while it was held back (Pace).
type Notification struct {
	Receiver string `json:"receiver"`
	// Events are in the order in which they happened to each alert; there is at
	// least one.
	Events []Event `json:"events"`

	test bool // of no real alert
}

// Key is the same whenever the same events are delivered again.
func (n Notification) Key() string {
	key := n.Events[0].Key
	if len(n.Events) > 1 {
		key += "+" + n.Events[len(n.Events)-1].Key
	}
	return key
}

// Text is the notification in words, a line for each event.
func (n Notification) Text() string { return lines(n.Events) }

// Sender delivers to one receiver. It may be called by several goroutines at a time,
// but never for two events of one alert.
type Sender interface {
	// Send returns nil once the receiver has accepted the notification, and an error
	// that wraps ErrRefused where it will not accept it however often it is sent. After
	// any other error it is sent again, for as long as the receiver's `keep` says.
	Send(ctx context.Context, n Notification) error
}

// ErrRefused is of a notification that a receiver can't use, such as one that is too
// large for it. Wrong addresses and passwords are no such thing: people mend them.
var ErrRefused = errors.New("refused")
