package media

import (
	"math"
	"time"
)

// clock says when each frame of a stream is on display: it takes a frame's stamp and
// when it came, and gives the time since the stream's first frame. Its times never
// run backwards.
//
// Stamps decide as long as they can be believed. Some cameras' leap away for a frame,
// begin anew, step back a little, stand still, run at another rate than time, or are
// missing:
//   - a stamp that lies before its predecessor, or further ahead than time has passed,
//     is passed over: its frame comes half a step after the one before;
//   - where agreeing of them come in a row, the camera has begun to count anew, and
//     goes on from there (line);
//   - where stamps stand still, are missing, or run at another rate than frames come
//     (rate), times of arrival take their place, until stamps have been right for a
//     while.
//
// Of a recording the arrivals mean nothing, and the rate of its header takes their
// place. In a file that is evaluated (plain) nothing is mended.
type clock struct {
	tick  float64 // seconds per unit of a stamp
	live  bool    // frames come as they are made
	plain bool    // stamps are what they are: times may run backwards
	blind bool    // there are no stamps

	started bool
	guessed bool // no frame had a stamp yet, and the first one was taken for 0
	line    line
	rate    rate
	last    time.Duration // of the latest frame
	came    time.Duration // its arrival
	// step is between the latest two frames that ran forwards; of a recording it begins
	// as what its rate makes it.
	step  time.Duration
	usual time.Duration // between two frames, as the stream's header says; 0: it doesn't

	head   time.Duration // of the latest stamp that was believed
	headAt time.Duration // its arrival
	same   int           // stamps in a row that were equal to it
	absent int           // stamps in a row that were missing
	mended int           // frames whose stamps were passed over

	byArrival bool
	zero      time.Duration // the arrival of time 0, while times are those of arrival
}

// noTime is libav's AV_NOPTS_VALUE.
const noTime = -1 << 63

const (
	// leapMost is how far ahead of time a stamp may lie: frames that waited in a camera
	// or on their way come at once, so that stamps run ahead of arrivals by small steps.
	leapMost = time.Second
	// leapRecorded is the longest gap that is believed of a recording.
	leapRecorded = 24 * time.Hour
	// agreeing is after how many frames another time line is accepted.
	agreeing = 3
	// stillFor is how long stamps that stand still are taken for a camera's that sends
	// frames in bunches, each bunch with one stamp.
	stillFor = 300 * time.Millisecond
)

// verdict is what to do with a frame, and with the one that is being held back.
type verdict int

const (
	keep        verdict = iota
	skip                // the frame's time cannot be known
	dropEarlier         // the time guessed for the first frame was wrong: time begins here
)

// at is the stream time of a frame with the given stamp, which came at the given time
// after the first one.
func (c *clock) at(stamp int64, came time.Duration) (time.Duration, verdict) {
	passed := max(came-c.came, 0)
	c.came += passed
	switch {
	case !c.started:
		c.started, c.guessed = true, stamp == noTime
		c.line = line{tick: c.tick, base: stamp}
		return 0, keep
	case c.blind:
		return c.give(c.came), keep
	case stamp == noTime && c.guessed && c.live && c.usual > 0:
		return c.counted(passed), keep
	case stamp == noTime:
		return c.missing(passed)
	case c.guessed:
		return c.found(stamp)
	case c.plain:
		t := c.line.time(stamp)
		if t > c.last {
			c.step = t - c.last
		}
		c.last = t
		return t, keep
	}
	c.absent = 0
	t := c.follow(stamp, passed)
	if c.live {
		t = c.weigh(t, passed)
	}
	return c.give(t), keep
}

// counted is for a frame of a stream without stamps that says how many it has a second.
func (c *clock) counted(passed time.Duration) time.Duration {
	c.head, c.headAt, c.step = c.head+c.usual, c.came, c.usual
	return c.give(c.weigh(c.head, passed))
}

// give hands out a time, not before that of the frame before.
func (c *clock) give(t time.Duration) time.Duration {
	if c.blind || c.byArrival {
		c.step = max(t-c.last, 0)
	}
	c.last = max(c.last, t)
	return c.last
}

// follow is the time that a stamp says, or, where it can't be believed, one a little
// after the frame before.
func (c *clock) follow(stamp int64, passed time.Duration) time.Duration {
	t := c.line.time(stamp)
	switch {
	case t == c.head:
		c.same++
		c.mended++
		c.line.doubts = 0
		if !c.live {
			return t
		}
		return c.between(passed)
	case !c.believable(t):
		c.mended++
		c.rate.calm = 0
		if !c.line.doubt(stamp, c.came) {
			return c.between(passed)
		}
		t = c.head + c.gap() + c.line.since(stamp)
		c.line = line{tick: c.tick, base: stamp, at: t}
		c.rate = rate{}
	case t-c.head > 0:
		c.step = t - c.head
	}
	c.line.doubts, c.same, c.head, c.headAt = 0, 0, t, c.came
	return t
}

// believable is whether a frame may be of that time.
func (c *clock) believable(t time.Duration) bool {
	switch {
	case t < c.head:
		return false
	case !c.live:
		return t-c.head <= leapRecorded
	}
	return t-c.head <= leapMost || t-leapMost <= c.came-c.rate.punctual
}

// between is a time after the frame before and, at the usual step, before the next.
func (c *clock) between(passed time.Duration) time.Duration {
	step := c.step
	if c.live && (step == 0 || passed < step) {
		step = passed
	}
	return c.last + step/2
}

// gap is the time between the latest stamp that was believed and the first one on
// another line.
func (c *clock) gap() time.Duration {
	if waited := c.line.doubted - c.headAt; c.live && (c.step == 0 || waited > time.Second) {
		return waited
	}
	return c.step
}

// weigh chooses between the time that stamps say and that of arrival.
func (c *clock) weigh(t, passed time.Duration) time.Duration {
	if c.line.doubts == 0 {
		c.rate.see(c.came-c.head, c.came)
	}
	still := c.same >= agreeing && c.came-c.headAt > stillFor
	switch {
	case still || c.rate.wrong():
		c.rate.giveUp()
		c.arrivals(passed)
	case c.byArrival && c.rate.right() && c.same == 0:
		c.byArrival = false
		c.line.at += c.came - c.zero - c.head
		t = c.came - c.zero
		c.head, c.rate = t, rate{}
	}
	if c.byArrival {
		return c.came - c.zero
	}
	return t
}

// arrivals makes times those of arrival from here on, without a leap.
func (c *clock) arrivals(passed time.Duration) {
	if !c.byArrival {
		c.byArrival, c.zero = true, c.came-passed-c.last
	}
}

// missing is for a frame without a stamp.
func (c *clock) missing(passed time.Duration) (time.Duration, verdict) {
	c.absent++
	c.mended++
	c.rate.calm = 0
	switch {
	case !c.live && c.step == 0:
		return 0, skip
	case c.live && c.absent >= agreeing:
		c.arrivals(passed)
	case c.live && c.step == 0:
		c.step = passed
	}
	if c.byArrival {
		return c.give(c.came - c.zero), keep
	}
	return c.give(c.last + c.step), keep
}

// found is for the first stamp of a stream whose first frame had none.
//
// libav's parser loses the timestamp of the first frame of an RTSP stream
// (found on 5.1 with H.264 and H.265); its demuxer counts from that frame, so
// it's 0. That holds unless the camera's own RTP clock begins at 0, which libav
// takes for "not begun": then the second frame comes at 0 too, and time begins
// there.
func (c *clock) found(stamp int64) (time.Duration, verdict) {
	const firstStepMax = time.Second
	c.guessed, c.absent = false, 0
	c.line = line{tick: c.tick}
	t, alone := c.line.time(stamp), c.step == 0 && c.last == 0
	if alone && t > 0 && t <= firstStepMax {
		c.step = t
		c.head, c.headAt = t, c.came
		return c.give(t), keep
	}
	v := keep
	if alone {
		v = dropEarlier
	} else { // the frames before are a step apart
		c.give(c.last + c.step)
		if c.byArrival {
			c.give(c.came - c.zero)
		}
	}
	c.line.base, c.line.at = stamp, c.last
	c.head, c.headAt = c.last, c.came
	return c.last, v
}

// rated sets the frame rate that a stream's header says, before the first frame. It is
// needed for those that are only a codec's, which have no stamps.
func (c *clock) rated(fps float64) {
	if fps <= 0 {
		return
	}
	c.usual = time.Duration(float64(time.Second) / fps)
	if !c.live {
		c.step = c.usual
	}
}

// begin is the stamp of time 0, or start if no frame has one.
func (c *clock) begin(start int64) int64 {
	if c.guessed {
		return start
	}
	return c.line.base - int64(math.Round(c.line.at.Seconds()/c.tick))
}

// until is when a frame shown at pts ends, given that the next comes at next.
// If time does not run forwards, the frame lasts as long as the one before it.
func (c *clock) until(pts, next, stepBefore time.Duration) time.Duration {
	if next > pts || !c.plain {
		return next
	}
	return pts + stepBefore
}
