package media

import "time"

// rate compares how fast a stream's stamps run with how fast its frames come. A frame
// may be late, held up on its way, and never early, so of each stretch of time the
// most punctual frame counts.
type rate struct {
	open   bool
	from   time.Duration // the arrival with which the stretch began
	least  time.Duration // lateness of its most punctual frame: arrival less time
	known  bool          // a stretch came right before
	before time.Duration // that lateness in the latest whole stretch
	latest time.Duration // the latest arrival
	pause  time.Duration // the longest time between two, in this stretch and the one before
	paused time.Duration // in this stretch
	run    int           // stretches in a row in which stamps and arrivals ran apart, in one direction,
	apart  time.Duration // and by how much in all of them
	latter time.Duration // in the latest
	steady bool          // in the latest two, by about the same
	given  bool          // stamps were given up since frames came later and later,
	level  time.Duration // and this was the lateness before that
	calm   int           // stretches in a row in which they didn't

	// punctual is the lateness of the most punctual frame. It is forgotten slowly: a
	// machine that is busy for minutes gets all frames late, and how far stamps may leap
	// depends on it.
	punctual time.Duration
}

const (
	rateStretch = 2 * time.Second
	// ratesDiffer is how much time stamps may gain or lose, as a part of it. Clocks are
	// wrong by far less, so that it is rather frames that stamps don't know of.
	ratesDiffer = 0.04
	// apartLeast is what stamps gain or lose before they are given up, besides the time
	// between arrivals: those are never even, and of some streams come in bunches.
	apartLeast = 250 * time.Millisecond
	// steadily is how much two stretches may differ, as a part of the greater, and
	// manyStretches how many may differ by more.
	steadily      = 8
	manyStretches = 8
	// regained is how near to the lateness before it has to come for frames to have been
	// held up.
	regained = 100 * time.Millisecond
	// calmFor is for how many stretches stamps must be right to be believed again.
	calmFor = 5
)

// see takes a frame's lateness and its arrival.
func (r *rate) see(late, came time.Duration) {
	took := came - r.from
	if r.open {
		r.paused = max(r.paused, came-r.latest)
		r.pause = max(r.pause, r.paused)
		r.punctual = min(late, r.punctual+time.Duration(ratesDiffer*float64(came-r.latest)))
	} else {
		r.punctual = late
	}
	r.latest = came
	switch {
	case !r.open || took > 3*rateStretch: // the camera was silent
		before := late
		if r.open {
			before = min(r.least, r.before)
		}
		*r = rate{open: true, from: came, least: late, before: before, latest: came, punctual: r.punctual}
	case took < rateStretch:
		r.least = min(r.least, late)
	default:
		if r.known {
			r.compare(r.least-r.before, took)
		}
		if r.given && r.least <= r.level+regained {
			r.given, r.calm = false, calmFor // they were held up, and stamps were right
		}
		r.known, r.before, r.from, r.least = true, r.least, came, late
		r.pause, r.paused = r.paused, 0
	}
}

// compare takes by how much stamps have lost in a stretch.
func (r *rate) compare(lost, took time.Duration) {
	share := float64(lost.Abs()) / float64(took)
	switch {
	case share <= ratesDiffer:
		r.run, r.apart, r.steady = 0, 0, false
	case r.run > 0 && (lost > 0) == (r.apart > 0):
		r.run++
		r.apart += lost
		r.steady = (lost - r.latter).Abs() <= max(lost.Abs(), r.latter.Abs())/steadily
	default:
		r.run, r.apart, r.steady = 1, lost, false
	}
	r.latter = lost
	r.calm++
	if share > ratesDiffer/2 {
		r.calm = 0
	}
}

// wrong is whether stamps run at another rate than frames come: by about the same in two
// stretches, or by any in many. A machine that is too busy to decode, or a network, holds
// frames up now more and now less.
func (r *rate) wrong() bool {
	return (r.run >= 2 && r.steady || r.run >= manyStretches) && r.apart.Abs() > apartLeast+r.pause
}

// giveUp notes that stamps are not believed any more.
func (r *rate) giveUp() {
	r.calm = 0
	if r.apart > 0 && !r.given {
		r.given, r.level = true, r.before-r.apart
	}
}

// right is whether they have run at the same rate for a while.
func (r *rate) right() bool { return r.calm >= calmFor }
