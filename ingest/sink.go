package ingest

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Sink takes one camera's frames. Its methods other than Run are called by one
// goroutine: Connected once for each connection, before its first frame; Frame
// for each frame in order of presentation; Disconnected when the connection is
// over. Nothing is handed over after the camera's removal.
type Sink interface {
	// Run does what may not delay the camera, until ctx ends, which is after the
	// last Disconnected. It gives up what it cannot finish in a few seconds.
	Run(ctx context.Context)
	// Connected says that the frames to come have a clock of their own.
	Connected(info media.StreamInfo)
	// Frame takes a frame, which is valid only during the call. An error ends the
	// connection.
	Frame(ctx context.Context, f *media.Frame) error
	// Disconnected says that no more frames come on this clock, and why.
	Disconnected(reason string)
	// Broken says, for people, what broke the video off before it was long enough for a
	// clip; "" once a clip was made of what came after. Any goroutine may call it.
	Broken() string
	// Picture says what is wrong with the pictures of this connection; nil before it is
	// known. Any goroutine may call it.
	Picture() *topics.PictureFaults
	// Retag sets the tags and the vocabulary of what is made from now on. Any
	// goroutine may call it.
	Retag(tags []string, vocabulary string)
}

// NewSink makes the sink of a camera. The sink sends its clips by send and in no
// other way: that clips are acknowledged is how the stage knows that a stream makes
// progress. send is bus.Partition.Send of the camera's partition: it waits while the
// group's partitions are given out anew, and returns bus.ErrMoved once the camera
// is another worker's. An error means that the camera's record can't be used: it is
// shown to people, and the camera is stopped until its record changes.
type NewSink func(c topics.Camera, send bus.SendFunc) (Sink, error)

// accountant is a Sink that counts the seconds of its camera without a clip. Any goroutine
// may call its methods.
type accountant interface {
	// Accounted is until when the camera's time is counted or covered by clips.
	Accounted() time.Time
	// Resume says that the time since then is to be counted: the process that read the
	// camera has crashed. It is called before Connected.
	Resume(since time.Time)
}
