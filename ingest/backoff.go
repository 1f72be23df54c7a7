package ingest

import (
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// Backoff says how long to wait before connecting again: between half of these
// waits and the whole, at random.
type Backoff struct {
	Min        time.Duration // the first wait; doubled at each failure
	Max        time.Duration // the longest
	ResetAfter time.Duration // of frames, after which Min is used again
}

// after is how long to wait before the next try of a camera that gave video for so long,
// after so many failures in a row. One that gave clips, which take window, is not left
// alone for longer than it was there.
func (b Backoff) after(failures int, lasted, window time.Duration) time.Duration {
	d := b.wait(failures)
	if lasted >= window {
		d = min(d, max(lasted, b.Min))
	}
	return d
}

// wait is how long to wait before the next try after so many failures in a row.
func (b Backoff) wait(failures int) time.Duration { return pause.Backoff(b.Min, b.Max, failures) }
