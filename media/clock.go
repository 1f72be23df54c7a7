package media

import (
	"math"
	"time"
)

// clock turns a stream's timestamps into time since its first frame.
type clock struct {
	tick    float64 // seconds per unit
	started bool
	guessed bool // the first frame had no timestamp and was taken for 0
	base    int64
	last    time.Duration // of the latest frame
	// step is between the latest two frames that ran forwards; of a file it begins
	// as what its rate makes it.
	step time.Duration
}

// noTime is libav's AV_NOPTS_VALUE.
const noTime = -1 << 63

// verdict is what to do with a frame, and with the one that is being held back.
type verdict int

const (
	keep        verdict = iota
	skip                // the frame's time cannot be known
	dropEarlier         // the time guessed for the first frame was wrong: time begins here
)

// at is the stream time of a frame with the given timestamp.
//
// libav's parser loses the timestamp of the first frame of an RTSP stream
// (found on 5.1 with H.264 and H.265); its demuxer counts from that frame, so
// it's 0. That holds unless the camera's own RTP clock begins at 0, which libav
// takes for "not begun": then the second frame comes at 0 too, and time begins
// there.
func (c *clock) at(timestamp int64) (time.Duration, verdict) {
	const firstStepMax = time.Second
	switch {
	case timestamp == noTime && !c.started:
		c.started, c.guessed = true, true
		return 0, keep
	case timestamp == noTime && c.step == 0:
		return 0, skip
	case timestamp == noTime:
		c.last += c.step
		return c.last, keep
	case !c.started:
		c.started, c.base = true, timestamp
		return 0, keep
	}
	t := time.Duration(float64(timestamp-c.base)*c.tick*1e9 + 0.5)
	if c.guessed {
		c.guessed = false
		if c.step > 0 { // a file: its frame rate gives the times before this frame
			t = c.last + c.step
			c.base = timestamp - int64(math.Round(t.Seconds()/c.tick))
		} else if t <= 0 || t > firstStepMax {
			c.base, c.last = timestamp, 0
			return 0, dropEarlier
		}
	}
	if t > c.last {
		c.step = t - c.last
	}
	c.last = t
	return t, keep
}

// rated sets the frame rate of a file's clock, before its first frame. It is
// needed for files that hold only a codec's stream, which have no times.
func (c *clock) rated(fps float64) {
	if fps > 0 {
		c.step = time.Duration(float64(time.Second) / fps)
	}
}

// begin is the timestamp of time 0, or start if no frame has a timestamp.
func (c *clock) begin(start int64) int64 {
	if c.guessed {
		return start
	}
	return c.base
}

// until is when a frame shown at pts ends, given that the next comes at next.
// If time does not run forwards, the frame lasts as long as the one before it.
func (c *clock) until(pts, next, stepBefore time.Duration) time.Duration {
	if next > pts {
		return next
	}
	return pts + stepBefore
}
