package framer

import "time"

// drift notices when a camera's clock and this machine's have run apart. A frame
// that is late may have been held up by the network, so of each stretch only the
// most punctual frame counts. A frame that arrives before its time is proof by
// itself.
type drift struct {
	limit time.Duration // negative: none
	since time.Duration // stream time at which the stretch began
	least time.Duration // lateness of its most punctual frame
	seen  bool
}

const driftStretch = 30 * time.Second

// exceeds is whether the clocks have run apart by more than the limit. It is asked
// once for each frame: at is the frame's stream time, arrived its arrival, both
// since the epoch's first frame.
func (d *drift) exceeds(at, arrived time.Duration) bool {
	if d.limit < 0 {
		return false
	}
	late := arrived - at
	if late < -d.limit {
		return true
	}
	if !d.seen || late < d.least {
		d.least, d.seen = late, true
	}
	if at-d.since < driftStretch {
		return false
	}
	apart := d.least > d.limit
	d.since, d.seen = at, false
	return apart
}
