package framer

import "time"

// drift notices when a camera's clock and this machine's have run apart. Frames
// that the network held up say nothing: of each stretch only the most punctual
// frame counts. A frame that arrives before its time needs no second opinion.
type drift struct {
	limit time.Duration // negative: none
	since time.Duration // stream time at which the stretch began
	least time.Duration // lateness of its most punctual frame
	seen  bool
}

const driftStretch = 30 * time.Second

// exceeds looks at a frame of the given stream time that arrived so long after
// the epoch's first.
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
