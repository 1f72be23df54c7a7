package media

import "time"

// damage tells which frames of a stream are damaged: those that parts are missing of,
// and all that refer to them, up to the next picture that stands for itself.
//
// Where a stream has no such pictures, but refreshes all parts of them in turn, libav
// marks the frames with which a turn begins. After a whole turn without a loss they are
// clean again.
type damage struct {
	number  int64         // of the latest packet
	wounded [reorder]bool // by number: something was missing of it, or of what it refers to
	on      bool          // frames are damaged
	turn    bool          // a turn of refreshing has begun since the latest loss
	clean   time.Duration // when the latest clean frame was shown
}

// reorder is more than the number of packets that a decoder holds.
const reorder = 64

// passOver is for how long a damaged frame is passed over for the clean one before it.
// After that it is better than none.
const passOver = 2 * time.Second

// next is the number of the next packet.
func (d *damage) next() int64 {
	d.number++
	d.wounded[d.number%reorder] = false
	return d.number
}

// hurt marks the latest packet.
func (d *damage) hurt() { d.wounded[d.number%reorder] = true }

// frame takes the frame of the numbered packet. corrupt is what libav says of it; key,
// that a decoder can begin with it, and whole, that all of it stands for itself.
func (d *damage) frame(number int64, corrupt, key, whole bool) bool {
	switch {
	case corrupt || d.wounded[(number%reorder+reorder)%reorder]:
		d.on, d.turn = true, false
	case key && (whole || d.turn):
		d.on, d.turn = false, false
	case key:
		d.turn = true
	}
	return d.on
}

// over is whether to pass over a frame for the clean one before it.
func (d *damage) over(at time.Duration, damaged bool) bool {
	if !damaged {
		d.clean = at
	}
	return damaged && at-d.clean <= passOver
}
