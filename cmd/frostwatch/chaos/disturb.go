package chaos

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// disturb carries out steps, each when it is its turn, and returns once all is as it was
// before. Steps about one worker are given to others while it is dead or suspended.
func (r *rig) disturb(ctx context.Context, steps []step) error {
	var g errgroup.Group
	begun := time.Now()
	for _, s := range steps {
		if !pause.For(ctx, time.Until(begun.Add(s.At))) && ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := r.do(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (r *rig) do(ctx context.Context, s step) error {
	switch s.Do {
	case killWorker:
		return r.killOne(ctx, s)
	case freeze:
		return r.freezeOne(ctx, s)
	case join:
		return r.joinOne(ctx, s)
	case killBroker:
		return r.killBroker(ctx, s)
	case cutConns:
		return r.under(ctx, s, weather{from: 500 * time.Millisecond, to: 1500 * time.Millisecond, delay: s.Delay})
	case slowDown:
		return r.under(ctx, s, weather{delay: s.Delay})
	case cutUp:
		return r.under(ctx, s, weather{held: [2]bool{up: true}})
	case cutDown:
		return r.under(ctx, s, weather{held: [2]bool{down: true}})
	case cutBoth:
		return r.under(ctx, s, weather{held: [2]bool{up: true, down: true}})
	}
	return fmt.Errorf("no such action as %q", s.Do)
}

// killBroker waits where the broker is still being started after an earlier step.
func (r *rig) killBroker(ctx context.Context, s step) error {
	r.restarting.Lock()
	defer r.restarting.Unlock()
	r.broker.kill()
	pause.For(ctx, s.For)
	return r.startBroker(ctx)
}

// under is the weather for the step's time.
func (r *rig) under(ctx context.Context, s step, w weather) error {
	r.proxy.set(w)
	pause.For(ctx, s.For)
	r.proxy.set(weather{})
	return nil
}

// take takes a running worker of the step's stage out of its place, so that no other step
// disturbs it; nil if there is none.
func (r *rig) take(s step) (p *process, back func(*process)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.workers[s.Stage]
	for i := range all {
		at := (s.Worker + i) % len(all)
		if p := all[at]; p != nil {
			all[at] = nil
			return p, func(p *process) {
				r.mu.Lock()
				defer r.mu.Unlock()
				all[at] = p
			}
		}
	}
	return nil, nil
}

func (r *rig) killOne(ctx context.Context, s step) error {
	p, back := r.take(s)
	if p == nil {
		return nil
	}
	p.kill()
	pause.For(ctx, s.For)
	next, err := r.startWorker(s.Stage)
	if err == nil {
		back(next)
	}
	return err
}

func (r *rig) freezeOne(ctx context.Context, s step) error {
	p, back := r.take(s)
	if p == nil {
		return nil
	}
	defer back(p)
	defer p.signal(syscall.SIGCONT)
	if err := p.suspend(); err != nil {
		return err
	}
	pause.For(ctx, s.For)
	return nil
}

func (r *rig) joinOne(ctx context.Context, s step) error {
	p, err := r.startWorker(s.Stage)
	if err != nil {
		return err
	}
	pause.For(ctx, s.For)
	return p.end()
}

// revive starts workers where some have ended on their own.
func (r *rig) revive() error {
	for stage, all := range r.workers {
		for i, p := range all {
			if p != nil && p.running() {
				continue
			}
			var err error
			if all[i], err = r.startWorker(stage); err != nil {
				return err
			}
		}
	}
	return nil
}
