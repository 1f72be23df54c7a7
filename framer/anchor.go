package framer

import "time"

// anchor keeps an epoch's clock, which windows and clips go by, with the time of day:
// stream times in, times since the epoch's first frame out, so that the epoch's begin
// plus such a time is when a frame was captured.
//
// Frames may be late, held up on their way, and never early. So the epoch begins at the
// least difference of arrival and stream time that its first second shows, which lies
// before the first arrival where a camera sends what it had stored. From then on a
// frame that comes before its time moves the clock back at once: it was not captured in
// the future. Where even the most punctual frame of some seconds is late, the camera's
// clock is slow or its way has grown longer, and the epoch's clock runs faster until it
// has caught up. Differences as small as jitter move nothing, so that stream times of
// most cameras are kept to the nanosecond.
type anchor struct {
	limit time.Duration // behind which the clock may fall, before a new epoch is better; negative: nothing is moved
	zero  time.Duration // the stream's time of the epoch's first frame
	came  time.Time     // its arrival
	epoch time.Time     // the time of day of the epoch's begin
	set   bool          // epoch is final

	ahead time.Duration // added to stream time
	owed  time.Duration // still to be added, bit by bit
	last  time.Duration // the latest frame, on the epoch's clock
	now   time.Duration // its arrival, since epoch

	from  time.Duration // the arrival with which the stretch began
	least time.Duration // lateness, by the epoch's clock without ahead, of its most punctual frame
	seen  bool
	far   int // stretches in a row that were late by more than the limit
}

const (
	// settling is how long a new epoch waits for the most punctual of its frames.
	settling = time.Second
	// anchorStretch is how often the clock is looked at.
	anchorStretch = 5 * time.Second
	// farStretches are how many stretches in a row make an epoch end: a network may be
	// held up for one.
	farStretches = 6
	// punctual and tardy are differences that are no more than jitter.
	punctual = 10 * time.Millisecond
	tardy    = 50 * time.Millisecond
	// catchUp is how much faster the clock runs while it catches up: one part in ten.
	catchUp = 10
)

// begin takes an epoch's first frame.
func (a *anchor) begin(pts time.Duration, came time.Time) {
	*a = anchor{limit: a.limit, zero: pts, came: came, epoch: came, set: a.limit < 0}
}

// settle makes the epoch's begin final.
func (a *anchor) settle() {
	a.set, a.seen = true, false
	a.now = a.came.Sub(a.epoch)
}

// see takes the next frame and returns its time on the epoch's clock. apart is whether
// that has fallen behind the time of day by more than the limit.
func (a *anchor) see(pts time.Duration, came time.Time) (at time.Duration, apart bool) {
	at = pts - a.zero
	switch {
	case a.limit < 0:
		a.last = at
		return at, false
	case !a.set:
		if came.Add(-at).Before(a.epoch) {
			a.epoch = came.Add(-at)
		}
		if came.Sub(a.came) >= settling {
			a.settle()
		}
		a.last = at
		return at, false
	}
	apart = a.follow(at, came.Sub(a.epoch))
	a.last = max(a.last, at+a.ahead)
	return a.last, apart
}

// follow moves the clock.
func (a *anchor) follow(at, now time.Duration) (apart bool) {
	passed := max(now-a.now, 0)
	a.now += passed
	late := now - at
	step := min(a.owed, passed/catchUp)
	a.ahead += step
	a.owed -= step
	if late < a.ahead-punctual {
		a.ahead, a.owed = late, 0
	}
	switch {
	case !a.seen:
		a.seen, a.from, a.least = true, now, late
	case now-a.from < anchorStretch:
		a.least = min(a.least, late)
	default:
		apart = a.look()
		a.from, a.least = now, late
	}
	return apart
}

// look ends a stretch.
func (a *anchor) look() (apart bool) {
	behind := a.least - a.ahead
	a.owed = 0
	if behind > tardy {
		a.owed = behind
	}
	a.far++
	if behind <= a.limit {
		a.far = 0
	}
	return a.far >= farStretches
}
