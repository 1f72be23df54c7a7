package media

import (
	"slices"
	"time"
)

// stillness judges by the sizes of packets whether something happens before a camera.
//
// What is usual is learned while all pictures are decoded, from stretches in which they
// were seen to be still: so it follows light and noise, and a scene that never rests
// teaches nothing. Sizes that did not rise when something moved are believed less: the
// next time, pictures must have been still for longer.
type stillness struct {
	recent [recentPackets]int // sizes of the latest packets that are no keyframes; a ring
	count  int                // of them since the beginning
	key    int                // size of the latest keyframe

	calm   bool          // pictures were still since then
	since  time.Duration // on the stream's clock
	now    sizes         // in this stretch
	rose   bool          // sizes have, since the latest look
	risen  bool          // they have in this stretch
	usual  sizes         // in the stretch that was learned
	wait   time.Duration // for how long pictures must be still to be believed
	unseen bool          // a keyframe showed something else, and nothing has been seen to move since
	asked  bool          // something moved by the latest look: did sizes show it?
	awaken bool          // sizes rose, and nothing has been seen to move since
	alarm  sizes         // from there on
}

// sizes are bytes of packets that are no keyframes.
type sizes struct {
	packets, all int // how many, and their sum
	top          int // the largest
	most         int // the largest sum of recentPackets in a row
	middle       int // the largest median of recentPackets in a row
}

func (s *sizes) add(size, sum, middle int) {
	s.packets++
	s.all += size
	s.top, s.most, s.middle = max(s.top, size), max(s.most, sum), max(s.middle, middle)
}

// with is the larger of each.
func (s *sizes) with(o sizes) {
	s.top, s.most, s.middle = max(s.top, o.top), max(s.most, o.most), max(s.middle, o.middle)
}

// exceed is whether sizes are larger than s, by more than chance makes them.
func (s *sizes) exceed(size, sum, middle int) bool {
	return s.packets > 0 && (size > riseTop*s.top+riseBytes || 4*sum > riseMost*s.most+4*recentPackets*riseEach || 2*middle > riseMiddle*s.middle+2*riseEach)
}

const (
	// recentPackets is over how many packets sizes are added up: more than the distance
	// of two pictures that others refer to, which are the large ones.
	recentPackets = 8
	// Sizes rise where one packet has riseTop times the largest, and riseBytes more;
	// recentPackets have riseMost/4 of what they had at most, and riseEach more each; or
	// their median has riseMiddle/2 of that at most, and riseEach more. One large packet
	// now and then says nothing of those between.
	riseTop, riseMost, riseMiddle = 2, 5, 3
	riseBytes, riseEach           = 64, 16
	// sunk is the part of a keyframe's size that the others have at most, on average, while
	// nothing happens. Cameras with a constant bit rate fill it, and sizes say nothing.
	sunk = 12
	// leastCalm is for how long pictures must have been still, at first; mostCalm at most.
	leastCalm = 5 * time.Second
	mostCalm  = 10 * time.Minute
	// restful is how long they must have been still where sizes are as usual, and for it to
	// be of interest whether sizes rise with what moves next.
	restful = 2 * time.Second
)

// packet takes the size of the next packet, and says whether sizes rise.
func (s *stillness) packet(key bool, size int) (rises bool) {
	if key {
		s.key = size
		return false
	}
	s.recent[s.count%recentPackets] = size
	s.count++
	sorted, sum := s.recent, s.sum()
	slices.Sort(sorted[:])
	middle := sorted[recentPackets/2]
	s.now.add(size, sum, middle)
	rises = s.usual.exceed(size, sum, middle)
	s.rose, s.risen = s.rose || rises, s.risen || rises
	if s.awaken || rises {
		s.alarm.add(size, sum, middle)
	}
	return rises
}

// sum is of recentPackets.
func (s *stillness) sum() (sum int) {
	for _, v := range s.recent {
		sum += v
	}
	return sum
}

// look takes whether something has moved since the look before, while all pictures are
// decoded. Whether sizes showed what moved is known by the next look: they may rise a few
// packets later, as where it begins with a keyframe, and then all since that is decoded.
func (s *stillness) look(at time.Duration, moved bool) {
	if s.asked {
		s.asked = false
		s.heed(s.rose)
	}
	switch {
	case moved:
		switch {
		case s.usual.packets == 0:
		case s.awaken:
			s.heed(true)
		case s.unseen, s.calm && at-s.since >= restful:
			s.asked = true
		}
		s.calm, s.unseen = false, false
	case !s.calm:
		s.begin(at)
	}
	if !s.asked {
		s.rose = false
	}
}

// low is whether packets are so small of late that pictures may be still.
func (s *stillness) low() bool {
	return sunk*s.sum() <= 2*s.key*recentPackets
}

// begin begins a stretch.
func (s *stillness) begin(at time.Duration) {
	s.calm, s.since, s.now, s.risen = true, at, sizes{}, false
}

// asUsual is whether nothing moves, and sizes are those that are usual then.
func (s *stillness) asUsual() bool {
	return s.calm && s.usual.packets > 0 && !s.risen && !s.awaken && !s.unseen
}

// heed takes whether sizes rose when something moved.
func (s *stillness) heed(rose bool) {
	s.awaken = false
	switch {
	case !rose:
		s.wait = min(2*max(s.wait, leastCalm), mostCalm)
	case s.wait > leastCalm:
		s.wait /= 2
	default:
		s.wait = 0
	}
}

// still is whether pictures were still for long enough, and packets so small that what
// moves would show in them. group is the time between two keyframes.
func (s *stillness) still(at, group time.Duration) bool {
	least := max(leastCalm, 2*group)
	if s.asUsual() {
		least = max(restful, group)
	}
	return s.calm && at-s.since >= max(s.wait, least) && s.count >= recentPackets && s.small()
}

// small is whether packets were so small that what moves would show in them.
func (s *stillness) small() bool { return s.now.packets > 0 && sunk*s.now.all <= s.key*s.now.packets }

// learn makes what the stretch had the usual. A stretch as usual, which may be short, does
// not narrow it; if sizes had risen and nothing was seen to move, it has more of them.
func (s *stillness) learn() {
	if s.unseen { // by the keyframe alone
		s.heed(false)
		s.unseen = false
	}
	if s.asUsual() {
		s.now.with(s.usual)
	}
	if s.awaken {
		s.now.with(s.usual)
		s.now.with(s.alarm)
	}
	s.usual, s.awaken = s.now, false
	s.now, s.alarm = sizes{}, sizes{}
}

// ease is called for each group that was not decoded: what is usual sinks slowly to what
// the group had.
func (s *stillness) ease() {
	const slowly = 16
	s.usual.top -= max(s.usual.top-s.now.top, 0) / slowly
	s.usual.most -= max(s.usual.most-s.now.most, 0) / slowly
	s.usual.middle -= max(s.usual.middle-s.now.middle, 0) / slowly
	s.now = sizes{}
}

// crowded is whether packets are too large for what is usual to be learned from them, where
// nothing is known yet.
func (s *stillness) crowded() bool {
	return s.now.packets >= recentPackets && sunk*s.sum() > s.key*recentPackets
}

// narrow is called for each group that was not decoded, before what is usual was learned:
// what the quietest group had is taken for it.
func (s *stillness) narrow() {
	if s.now.packets > 0 && (s.usual.packets == 0 || s.now.all*s.usual.packets < s.usual.all*s.now.packets) {
		s.usual = s.now
	}
	s.now = sizes{}
}

// study is called when the packets since that time, whose sizes are known, are decoded to
// see whether pictures were still.
func (s *stillness) study(at time.Duration) {
	s.calm, s.since, s.rose, s.awaken, s.alarm = true, at, false, false, sizes{}
}

// wake is called when all pictures are decoded again, from that time on. rose is whether
// that is because sizes rise, and unseen, because of something that they did not show.
func (s *stillness) wake(at time.Duration, rose, unseen bool) {
	s.unseen, s.asked = unseen, false
	if s.awaken, s.rose = rose, false; !rose {
		s.alarm = sizes{}
	}
	s.begin(at)
}
