package media

import "time"

// learning is how a stream comes to know what is usual for it. One that has a turn decodes
// everything, as without Turns. One that has none begins as if it were at rest: packets
// are kept, and keyframes alone are decoded. It wakes like others at rest, and as soon as
// sizes say that what is usual could not be learned from them. When its turn comes, what
// is kept is decoded at once: if nothing moves in it, and did not from keyframe to
// keyframe before, its sizes are the usual.
type learning struct {
	turns   *Turns // nil: everybody has a turn
	begun   bool   // a keyframe has come
	waits   bool   // for a turn
	holds   bool   // a turn
	studies bool   // what is kept is decoded to learn from it
}

// turnMost is for how long a stream keeps its turn: one that does not come to rest until
// then has something that moves.
const turnMost = 15 * time.Second

// leave ends the turn, or the waiting for one.
func (d *demand) leave() {
	if d == nil {
		return
	}
	if d.waits {
		d.turns.waiting.Add(-1)
	}
	if d.holds {
		d.turns.give()
	}
	d.waits, d.holds, d.studies = false, false, false
}

// queues is called with the keyframe with which a stream begins, and is whether it has to
// wait for its turn.
func (s *Stream) queues() bool {
	d := s.demand
	if d.begun || d.turns == nil {
		return false
	}
	d.begun = true
	if d.holds = d.turns.take(); d.holds {
		return false
	}
	if s.info.Codec != "h264" && s.info.Codec != "hevc" || s.clock.blind {
		return false
	}
	d.waits = true
	d.turns.waiting.Add(1)
	s.OnCalm(true)
	return true
}

// turn is called with a keyframe, and is whether the stream's turn has come.
func (s *Stream) turn() bool {
	d := s.demand
	if !d.waits || s.doubts() || s.clock.guessed || s.clock.last+d.span+d.group.length-d.resting < leastCalm || !d.still.small() || !d.turns.take() {
		return false
	}
	d.turns.waiting.Add(-1)
	d.waits, d.holds = false, true
	return true
}

// study decodes what is kept, to learn from it.
func (s *Stream) study() {
	d := s.demand
	flush(s.owner)
	d.state, d.sent, d.passing, d.studies = catchingUp, 0, true, true
	d.still.study(s.clock.last)
	d.looked, d.first = s.clock.last, luma{}
}

// studied is called when the keyframe was sent with which what is kept ends. If nothing
// moved before it, the stream rests from there on.
func (s *Stream) studied() {
	d := s.demand
	d.studies = false
	if !d.still.calm || s.doubts() {
		d.leave()
		return
	}
	d.drop(len(d.kept) - 1)
	d.state, d.mark = settling, s.damage.number
}
