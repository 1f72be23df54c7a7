package media

import (
	"slices"
	"time"

	"github.com/asticode/go-astiav"
)

// demand is what a stream needs that is decoded only as far as something happens: while
// pictures are still and packets no larger than usual (stillness), keyframes alone are
// decoded, and all packets since the latest are kept. When sizes rise, or a keyframe
// shows something else than the one before, what is kept is decoded too, so that nothing
// is missing of what happens.
//
// Whatever is out of the ordinary (doubts) leads to all being decoded.
type demand struct {
	still stillness
	state watch
	group group

	kept    []keptPacket  // from a keyframe on whose frame was handed out
	bytes   int           // of kept
	sent    int           // of kept, while catching up
	fed     time.Time     // arrival of the latest of these
	mark    int64         // the number of the packet of the keyframe
	stamp   int64         // the time of its frame
	passing bool          // its frame, and those before it, are to come once more
	span    time.Duration // from there to the latest keyframe
	resting time.Duration // since when keyframes alone are decoded, on the stream's clock

	// The delay from the arrival of a keyframe to its frame, while all is decoded: the
	// least of late, since a busy machine makes it longer.
	delay time.Duration
	key   int64     // the number of the latest keyframe's packet
	keyAt time.Time // its arrival

	ticking ticking

	points, other, first luma // of the latest frame that was looked at, of the next, and of the first of those that are still
	looked               time.Duration
	whole                bool // the latest keyframe stands for itself
	fields               bool // pictures are interlaced

	learning
}

// watch is how a stream is decoded.
type watch int

const (
	awake      watch = iota // all of it
	settling                // all of it, until the frame of the keyframe comes with which the packets begin that are kept
	idle                    // nothing: packets are kept
	peeking                 // a keyframe alone, the latest packet that is kept
	catchingUp              // the packets that are kept
)

type keptPacket struct {
	packet  *astiav.Packet
	arrived time.Time
	missed  bool // something was lost on the way before it
}

const (
	// keptBytes bounds what is kept of a stream.
	keptBytes = 4 << 20
	// lookApart is the least time between two looks while all pictures are decoded, and
	// nothing moves; twice that is, otherwise.
	lookApart = 500 * time.Millisecond
	// lookEvery is the least time from a keyframe that is decoded to the next, and
	// lookSeldom that after calmLong, as far as the camera's keyframes allow.
	lookEvery  = 2 * time.Second
	lookSeldom = 4 * time.Second
	calmLong   = 10 * time.Second
)

// SkipMost is the longest time between two keyframes of a stream of which only those are
// decoded. To look at any other picture, all since the keyframe have to be decoded: with
// a longer time, that would be about all.
const SkipMost = 5 * time.Second

func (d *demand) keep(p *astiav.Packet, now time.Time, missed bool) {
	d.kept = append(d.kept, keptPacket{p.Clone(), now, missed})
	d.bytes += p.Size()
}

// drop forgets the packets before the n-th that is kept.
func (d *demand) drop(n int) {
	for _, k := range d.kept[:n] {
		d.bytes -= k.packet.Size()
		k.packet.Free()
	}
	d.kept = slices.Delete(d.kept, 0, n)
}

func (d *demand) free() {
	if d != nil {
		d.drop(len(d.kept))
	}
}

// differs is whether something has moved between a frame and the other that was looked at,
// but for a clock in the picture. If that can't be known, it is true.
func (d *demand) differs(before luma) bool {
	moving, ok := d.other.moving(before)
	return !ok || d.ticking.any(moving)
}

// skipped is how many frames were not decoded between two keyframes.
func (d *demand) skipped() int { return max(len(d.kept)-2, 0) }

// spare is whether the packet that was read is not to be decoded now. missed is whether
// something was lost before it.
func (s *Stream) spare(missed bool) bool {
	d, p, now := s.demand, s.packet, time.Now()
	key := p.Flags().Has(astiav.PacketFlagKey)
	rises := d.still.packet(key, p.Size())
	stamp := p.Dts()
	if stamp == noTime {
		stamp = p.Pts()
	}
	d.group.see(key, stamp, s.clock.tick, now)
	if key {
		d.key, d.keyAt = s.damage.number+1, now
	}
	switch d.state {
	case awake:
		if key && !missed && s.queues() {
			d.keep(p, now, missed)
			s.peek()
			return true
		}
		if key && !missed && s.restful() {
			d.state, d.mark = settling, s.damage.number+1
			d.keep(p, now, missed)
		}
	case settling:
		if d.keep(p, now, missed); key || missed || rises {
			d.state = awake
			d.free()
			d.leave()
		}
	case idle:
		d.keep(p, now, missed)
		s.waited = 0
		s.OnKept()
		switch {
		case missed || rises || d.bytes > keptBytes || d.group.odd(key) || d.span+d.group.since > SkipMost:
			s.wake(rises, false)
		case d.waits && (d.still.crowded() || key && d.group.regular == 0):
			s.wake(false, false)
		case key && s.turn():
			s.study()
		case key && s.due():
			s.peek()
		}
		return true
	}
	return false
}

// restful is whether nothing happens, and nothing is in doubt.
func (s *Stream) restful() bool {
	d := s.demand
	return d.whole && d.group.regular >= 2 && !s.doubts() && d.still.still(s.clock.last, d.group.length)
}

// doubts is whether something is out of the ordinary. That the first frame of a stream has
// no stamp is usual over RTSP.
func (s *Stream) doubts() bool {
	c := &s.clock
	return s.damage.on || s.demand.fields || c.byArrival || c.blind || c.guessed && !s.demand.waits || c.line.doubts > 0 || c.absent > 0 || c.same > 0 ||
		s.info.Codec != "h264" && s.info.Codec != "hevc"
}

// due is whether the keyframe that came is to be looked at, rather than the next.
func (s *Stream) due() bool {
	d, every := s.demand, lookEvery
	if d.waits || s.clock.last-d.resting >= calmLong {
		every = lookSeldom
	}
	d.span += d.group.length
	return d.span+d.group.length > every
}

// rest begins to keep packets instead of decoding them, from the keyframe on whose frame
// has come.
func (s *Stream) rest(at time.Duration) {
	d := s.demand
	d.stamp, d.span, d.resting = frameTime(s.fresh.UnsafePointer()), 0, at
	d.state = idle
	d.still.learn()
	d.leave()
	s.reopen(d.kept[0].packet)
	s.OnCalm(true)
}

// peek decodes the keyframe that was kept last, and nothing else.
func (s *Stream) peek() {
	d := s.demand
	flush(s.owner)
	d.state = peeking
	k := d.kept[len(d.kept)-1]
	if s.send(k.packet, k.missed); s.codec.SendPacket(nil) != nil {
		s.wake(false, false)
	}
}

// peeked takes the frame of a keyframe that was decoded alone, and says whether it is as
// the one before it. If not, all that is kept is decoded.
func (s *Stream) peeked(number int64) bool {
	d := s.demand
	whole := s.fresh.KeyFrame() && s.fresh.PictureType() == astiav.PictureTypeI && !corrupt(s.fresh.UnsafePointer()) && !s.damage.wounded[number%reorder]
	d.other = s.lumaOf(d.other)
	first := d.waits && !s.holding
	if !whole || len(d.other.points) == 0 || !first && (d.differs(d.points) || s.fresh.Width() != s.held.Width() || s.fresh.Height() != s.held.Height()) {
		s.wake(false, true)
		return false
	}
	d.points, d.other = d.other, d.points
	return true
}

// next goes on from a keyframe that was decoded alone and handed on.
func (s *Stream) next() {
	d := s.demand
	flush(s.owner)
	d.stamp = frameTime(s.held.UnsafePointer())
	d.drop(len(d.kept) - 1)
	d.span = 0
	if d.state = idle; d.waits {
		d.still.narrow()
	} else {
		d.still.ease()
	}
	if s.doubts() {
		s.wake(false, false)
	}
}

// wake decodes what is kept, and then all that comes. rose is whether that is because
// sizes have; unseen, because something else than they shows that it has to be.
func (s *Stream) wake(rose, unseen bool) {
	d := s.demand
	flush(s.owner)
	d.leave()
	d.state, d.sent, d.passing = catchingUp, 0, true
	d.still.wake(s.clock.last, rose, unseen)
	d.looked, d.first = s.clock.last, luma{}
	s.OnCalm(false)
}

// catchUp sends the decoder the next packet that is kept; false where there is none left.
func (s *Stream) catchUp() bool {
	d := s.demand
	if d == nil || d.state != catchingUp {
		return false
	}
	if d.sent == len(d.kept) {
		d.free()
		d.state = awake
		return false
	}
	k := d.kept[d.sent]
	if d.sent == 0 {
		d.mark = s.damage.number + 1
	}
	d.sent++
	d.fed = k.arrived
	s.send(k.packet, k.missed)
	if d.studies && d.sent == len(d.kept) {
		s.studied()
	}
	return true
}

// repeated is whether a frame was handed out before: that of the keyframe with which the
// packets begin that are decoded once more, and those before it.
func (d *demand) repeated(number, stamp int64) bool {
	if !d.passing {
		return false
	}
	d.passing = number != d.mark && (stamp == noTime || stamp <= d.stamp)
	return d.passing || number == d.mark
}

// watch looks at a frame that is handed on, while all pictures are decoded.
func (s *Stream) watch(at time.Duration, number int64, now time.Time) {
	d := s.demand
	if s.fresh.KeyFrame() {
		d.whole = s.fresh.PictureType() == astiav.PictureTypeI
	}
	if number == d.key && d.state != catchingUp {
		late := now.Sub(d.keyAt)
		if d.delay > 0 {
			late = min(late, d.delay+d.delay/8)
		}
		d.delay = late
	}
	mark := d.state == settling && number == d.mark
	apart := lookApart
	if !d.still.calm {
		apart *= 2
	}
	if at-d.looked < apart && !mark {
		return
	}
	d.looked = at
	if !d.still.low() || d.group.regular == 0 && at > 2*SkipMost || d.fields { // there will be no rest soon
		d.points, d.first = luma{}, luma{}
		d.still.look(at, true)
		return
	}
	d.other = s.lumaOf(d.other)
	moving, known := d.other.moving(d.points)
	if known {
		d.ticking.learn(moving, d.other.columns/BlockPoints, at)
	}
	moved := !known || d.ticking.any(moving) || len(d.first.points) > 0 && d.differs(d.first)
	d.points, d.other = d.other, d.points
	d.still.look(at, moved)
	if moved || len(d.first.points) == 0 {
		d.first = luma{slices.Clone(d.points.points), d.points.columns}
	}
	switch {
	case mark && !moved:
		s.rest(at)
	case mark:
		d.free()
		d.state = awake
	}
	if d.holds && d.state == awake && at > turnMost {
		d.leave()
	}
}
