package media

import (
	"cmp"
	"slices"
	"time"
)

// Taken is what is known of a packet that was kept, beside its data.
type Taken struct {
	Key      bool
	PTS, DTS int64 // as of Packet
	Arrived  time.Time
	Size     int // bytes
}

const (
	// reorderMost is the longest time by which a packet may be shown earlier than one
	// that was sent before it.
	reorderMost = 2 * time.Second
	// rateOff is the share by which stamps may run faster or slower than packets come,
	// as of cameras (rate).
	rateOff = 0.04
)

// Captured says when the pictures of packets were before the camera: packets of one
// connection, in the order in which they came. It goes by the stamps, and by how far the
// most punctual packet is behind its own; and by arrivals where stamps can't be believed.
func Captured(tick float64, packets []Taken) []time.Time {
	at, believable := stamped(tick, packets)
	if !believable || drifts(at, packets) {
		return arrivals(at, packets)
	}
	least := time.Duration(1<<63 - 1)
	for i, p := range packets {
		least = min(least, p.Arrived.Sub(packets[0].Arrived)-at[i])
	}
	out := make([]time.Time, len(packets))
	for i := range out {
		out[i] = packets[0].Arrived.Add(least + at[i])
	}
	return out
}

// stamped are times by the stamps alone, of which the first is 0. Where stamps leap, they
// go on from where they were. believable is whether most packets have stamps that don't.
func stamped(tick float64, packets []Taken) (at []time.Duration, believable bool) {
	at = make([]time.Duration, len(packets))
	line := line{tick: tick}
	odd, begun := 0, false
	for i, p := range packets {
		stamp := p.PTS
		if stamp == NoTime {
			stamp = p.DTS
		}
		var before, passed time.Duration
		if i > 0 {
			before, passed = at[i-1], max(p.Arrived.Sub(packets[i-1].Arrived), 0)
		}
		switch {
		case stamp == NoTime:
			at[i] = before + passed
			odd++
			continue
		case !begun:
			begun, line.base, line.at = true, stamp, before+passed
		}
		at[i] = line.time(stamp)
		if d := at[i] - before; i > 0 && (d < -reorderMost || d > reorderMost+passed) {
			at[i] = before + min(passed, reorderMost)
			line.base, line.at = stamp, at[i]
			odd++
		} else if lost := lostAt(line, i, at, packets); lost > 0 {
			line.at += lost
			at[i] += lost
		}
	}
	return at, odd <= 1+len(packets)/10
}

// lostAt is the time that stamps have left out in front of a packet: after a pause, it and
// those after it come later than before, and are not only held up.
func lostAt(l line, i int, at []time.Duration, packets []Taken) time.Duration {
	const least, look = time.Second, 2 * time.Second
	if i == 0 {
		return 0
	}
	passed := packets[i].Arrived.Sub(packets[i-1].Arrived)
	if passed-(at[i]-at[i-1]) < least {
		return 0
	}
	lost := passed - (at[i] - at[i-1])
	for _, p := range packets[i:] {
		since := p.Arrived.Sub(packets[i].Arrived)
		if since > look {
			break
		}
		if p.PTS != NoTime {
			lost = min(lost, passed+since-(l.time(p.PTS)-at[i-1]))
		}
	}
	if lost < least {
		return 0
	}
	return lost
}

// drifts is whether stamps run at another rate than packets come. Of both ends of what is
// given, the most punctual packets are compared.
func drifts(at []time.Duration, packets []Taken) bool {
	n := len(packets) / 3
	if n < 2 {
		return false
	}
	late := func(from, to int) time.Duration {
		least := time.Duration(1<<63 - 1)
		for i := from; i < to; i++ {
			least = min(least, packets[i].Arrived.Sub(packets[0].Arrived)-at[i])
		}
		return least
	}
	moved := late(len(packets)-n, len(packets)) - late(0, n)
	over := packets[len(packets)-1].Arrived.Sub(packets[0].Arrived) * 2 / 3
	return moved.Abs() > time.Second && float64(moved.Abs()) > rateOff*float64(over)
}

// arrivals gives packets the times at which packets came, in the order of their stamps.
func arrivals(at []time.Duration, packets []Taken) []time.Time {
	order := make([]int, len(packets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	out := make([]time.Time, len(packets))
	for rank, i := range order {
		if (rank-i) > 16 || i-rank > 16 { // no reordering, but stamps that mean nothing
			order = nil
			break
		}
		out[i] = packets[rank].Arrived
	}
	if order == nil {
		for i, p := range packets {
			out[i] = p.Arrived
		}
	}
	return out
}
