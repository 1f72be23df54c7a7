package ingest

import (
	"context"

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
	// Connected starts a new stream clock.
	Connected(info media.StreamInfo)
	// Frame looks at a frame. An error ends the connection.
	Frame(ctx context.Context, f *media.Frame) error
	// Disconnected says that no more frames come on this clock, and why.
	Disconnected(reason string)
	// Retag gives what comes from now on other tags. Any goroutine may call it.
	Retag(tags []string)
}

// NewSink makes the sink of a camera. It sends its clips by send alone, which is
// bus.Partition.Send of the partition that holds the camera: it waits while the
// group is being sorted out anew, and returns bus.ErrMoved once the camera is
// another worker's. That clips arrive is how the stage knows that a stream makes
// progress. An error is of the camera's record, shown to people, and stops the
// camera until its record changes.
type NewSink func(c topics.Camera, send bus.SendFunc) (Sink, error)
