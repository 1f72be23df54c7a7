package bus

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errGate is returned for a record that was not sent because the lease had to be
// confirmed first.
var errGate = errors.New("the lease is not confirmed")

// gate lets a member's leases send and commit only while the group's coordinator
// says that it holds them.
type gate struct {
	mu         sync.Mutex
	open       bool
	member     string
	kafka      int32 // the coordinator's number of the generation
	generation int   // ours
	confirmed  time.Time
	inFlight   int
	changed    chan struct{} // closed at each change
	ask        chan struct{} // holds one: the coordinator is to be asked at once
}

func newGate() *gate {
	return &gate{changed: make(chan struct{}), ask: make(chan struct{}, 1)}
}

func (g *gate) change() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// fresh is whether the coordinator has confirmed the membership lately. So a worker
// that was suspended for longer than its session finds out before it sends.
func (g *gate) fresh() bool { return g.open && time.Since(g.confirmed) < sessionTime/2 }

// pass is the membership under which something is sent or committed.
type pass struct {
	member     string
	kafka      int32
	generation int
}

// enter waits until n messages or commits may be sent under the lease. leave must be
// called for each when it is not in flight any more.
func (g *gate) enter(ctx context.Context, l *lease, n int) (pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if l.moved {
			return pass{}, ErrMoved
		}
		if g.fresh() {
			g.inFlight += n
			return pass{g.member, g.kafka, g.generation}, nil
		}
		if g.open {
			select {
			case g.ask <- struct{}{}:
			default:
			}
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
			g.mu.Lock()
		case <-ctx.Done():
			g.mu.Lock()
			return pass{}, &callError{"the group's coordinator does not confirm the assignment", ctx.Err()}
		}
	}
}

func (g *gate) leave(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inFlight -= n; g.inFlight == 0 {
		g.change()
	}
}

// may returns an error if something that has entered must not be sent now.
func (g *gate) may(l *lease, p pass) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case l.moved:
		return ErrMoved
	case !g.fresh() || p.generation != g.generation:
		return errGate
	}
	return nil
}

// close lets nothing enter, and waits for what is in flight, at most for Grace.
func (g *gate) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, Grace)
	defer cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
	g.change()
	for g.inFlight > 0 {
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
			g.mu.Lock()
		case <-ctx.Done():
			g.mu.Lock()
			return
		}
	}
}

// reopen lets the remaining leases send under a new generation.
func (g *gate) reopen(member string, kafka int32, generation int, confirmed time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.member, g.kafka, g.generation, g.confirmed = true, member, kafka, generation, confirmed
	g.change()
}

// confirm notes that the coordinator has answered a request that was sent at then.
func (g *gate) confirm(kafka int32, then time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open && g.kafka == kafka && then.After(g.confirmed) {
		g.confirmed = then
		g.change()
	}
}

// lose ends a lease: another member has the partition.
func (g *gate) lose(l *lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l.moved = true
	g.change()
}
