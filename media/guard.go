package media

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errTime is returned by a guarded call that took too long.
var errTime = errors.New("out of time")

// interrupter makes libav's blocking calls return: libav checks it about ten
// times a second.
type interrupter interface {
	Interrupt()
	Resume()
}

// guard ends blocking calls at a deadline, and with a context.
type guard struct {
	libav  interrupter
	unhook func() bool

	mu      sync.Mutex
	turn    int // changes with each call, so that a late timer interrupts no later call
	expired bool
	stopped bool
}

func newGuard(ctx context.Context, libav interrupter) *guard {
	g := &guard{libav: libav, stopped: ctx.Err() != nil}
	g.unhook = context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.stopped = true
		g.libav.Interrupt()
	})
	return g
}

// call runs f, which fails with errTime after limit and with ErrStopped once
// the context has ended.
func (g *guard) call(limit time.Duration, f func() error) error {
	g.mu.Lock()
	if g.stopped {
		g.mu.Unlock()
		return ErrStopped
	}
	g.libav.Resume()
	g.mu.Unlock()
	err := g.timed(limit, f)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case g.stopped:
		return ErrStopped
	case g.expired:
		return errTime
	}
	return err
}

// ended reports whether the context has ended.
func (g *guard) ended() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stopped
}

// goodbye runs f for at most a second, even after the context has ended.
func (g *guard) goodbye(f func() error) error {
	g.mu.Lock()
	g.libav.Resume()
	g.mu.Unlock()
	return g.timed(time.Second, f)
}

func (g *guard) timed(limit time.Duration, f func() error) error {
	g.mu.Lock()
	g.turn++
	g.expired = false
	turn := g.turn
	g.mu.Unlock()
	timer := time.AfterFunc(limit, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.turn == turn {
			g.expired = true
			g.libav.Interrupt()
		}
	})
	err := f()
	timer.Stop()
	g.mu.Lock()
	g.turn++
	g.mu.Unlock()
	return err
}

func (g *guard) close() { g.unhook() }
