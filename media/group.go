package media

import "time"

// group measures the packets from one keyframe to the next.
type group struct {
	packets int
	stamp   int64         // of the keyframe
	arrived time.Time     // of the same
	since   time.Duration // from there to the latest packet
	paused  bool          // there was a pause right before that
	length  time.Duration // of the latest whole one
	regular int           // whole ones in a row that are neither too long nor too short
}

// see takes the next packet.
func (g *group) see(key bool, stamp int64, tick float64, now time.Time) {
	before := g.since
	if g.since = now.Sub(g.arrived); stamp != noTime && g.stamp != noTime {
		g.since = time.Duration(float64(stamp-g.stamp) * tick * float64(time.Second))
	}
	g.paused = g.since-before >= pauseLeast
	g.packets++
	if !key {
		return
	}
	g.length = g.since
	g.regular++
	if g.length <= 0 || g.length > SkipMost || g.packets < groupLeast || float64(g.packets) < groupLeast*g.length.Seconds() {
		g.regular = 0
	}
	g.packets, g.stamp, g.arrived, g.since = 0, stamp, now, 0
}

// odd is whether the latest packet is not at the time at which it is expected. since is
// the time from the keyframe before it.
func (g *group) odd(key bool) bool {
	since := g.since
	if key {
		since = g.length
	}
	return g.paused || since < 0 || since > SkipMost
}

const (
	// groupLeast is how many frames a group and a second must have.
	groupLeast = 5
	// pauseLeast is the time between two packets from which on it is a pause, in which no
	// picture is on display for ever.
	pauseLeast = time.Second
)
