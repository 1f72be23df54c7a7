package ingest

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// StreamInfo is what a stream turned out to be once it was open.
type StreamInfo struct {
	Codec         string  // libav's name, such as h264
	Width, Height int     // of the first frame, pixels
	FPS           float64 // as the container says; 0 where it doesn't
	// Recorded says that the stream is a recording with an end rather than a
	// live picture.
	Recorded bool
}

// Frame is one decoded picture. It is valid only during the call that hands it
// over.
type Frame struct {
	// PTS is the time of presentation since the stream's first frame, by the
	// camera's clock. Until is the PTS of the frame after it, and for a stream's
	// last frame PTS and the interval before it. Times may run backwards or leap
	// where a camera's clock does.
	PTS, Until time.Duration
	// Arrived is when the frame was decoded.
	Arrived       time.Time
	Width, Height int // pixels
	// RGB converts to packed 8-bit RGB, [Height, Width, 3], into dst if its
	// capacity suffices. The frame's own matrix and range are used, BT.601 where
	// it names none. Calling it is what costs: skip it for frames not looked at.
	RGB func(dst []byte) ([]byte, error)
}

// Sink takes one camera's frames. Its methods other than Run are called by one
// goroutine: Begin once for each connection, before its first frame; Frame for
// each frame in order of presentation; End when the connection is over. Nothing
// is handed over after the camera's removal.
type Sink interface {
	// Run does what may not delay the camera, until ctx ends, which is after the
	// last End. It gives up what it cannot finish in a few seconds.
	Run(ctx context.Context)
	// Begin starts a new stream clock.
	Begin(info StreamInfo)
	// Frame looks at a frame. An error ends the connection.
	Frame(ctx context.Context, f *Frame) error
	// End tells that no more frames come on this clock.
	End(reason string)
}

// NewSink makes the sink of a camera. An error is of the camera's record, shown
// to people, and stops the camera until its record changes.
type NewSink func(topics.Camera) (Sink, error)
