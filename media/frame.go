package media

import "time"

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
// over, or until the next call of Next.
type Frame struct {
	// PTS is the time of presentation since the stream's first frame, by the
	// camera's clock as far as it can be believed: it never runs backwards. (Of a File
	// it is the file's, which may.) Until is the PTS of the frame after it, and for a
	// stream's last frame PTS and the interval before it.
	PTS, Until time.Duration
	// Arrived is when the frame was decoded. Whoever plays a recording at its own pace
	// sets it to when it is shown.
	Arrived       time.Time
	Width, Height int // pixels
	// Skipped is how many frames came after this one and before Until that were not
	// decoded, since nothing happened (StreamOptions.OnDemand).
	Skipped int
	// Still is whether nothing moved, and sizes of packets were as is usual then, while
	// all pictures were decoded (StreamOptions.OnDemand).
	Still bool
	// Kept is whether OnKept was called when the frame came.
	Kept bool
	// The picture is as people see it: rotated and mirrored as the stream says, with
	// square samples, and of two interlaced fields only the first one taken.
	//
	// RGB converts to packed 8-bit RGB, [Height, Width, 3], into dst if its
	// capacity suffices. The frame's own matrix and range are used, BT.601 where
	// it names none. Calling it is what costs: skip it for frames not looked at.
	RGB func(dst []byte) ([]byte, error)
}
