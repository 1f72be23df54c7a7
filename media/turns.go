package media

import "sync/atomic"

// Turns bounds how many streams at a time learn what is usual for them (demand), since
// that needs all pictures for a while: two hundred cameras that connect at once would have
// no time for any. Those that wait for a turn are looked at keyframe by keyframe.
type Turns struct {
	free    chan struct{}
	waiting atomic.Int64
}

// NewTurns has n turns, of which there is at least one.
func NewTurns(n int) *Turns {
	t := &Turns{free: make(chan struct{}, max(n, 1))}
	for range cap(t.free) {
		t.free <- struct{}{}
	}
	return t
}

// Waiting is how many streams wait for a turn.
func (t *Turns) Waiting() int { return int(t.waiting.Load()) }

// take never waits; false where all turns are taken.
func (t *Turns) take() bool {
	select {
	case <-t.free:
		return true
	default:
		return false
	}
}

func (t *Turns) give() { t.free <- struct{}{} }
