package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Part is one blocking part of the process, such as a stage.
type Part struct {
	Name string
	Run  func(context.Context) error
	// Early parts start at once, the others when the topics exist.
	Early bool
}

// stopping bounds how long parts may take to stop. A process has 10 s to stop, one
// of which is for closing its clients.
type stopping struct {
	each  time.Duration // for one part
	total time.Duration // for all; those that are left are then stopped together
	last  time.Duration // for those that are stopped together
}

// errLeft is returned when parts were left running.
var errLeft = errors.New("still running")

// running is a part that was started.
type running struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done
}

// sequence runs parts side by side. They are given consumers before producers,
// started in that order and stopped in the reverse: each part is waited for before
// the next is stopped, so that what was produced is still consumed. It returns when
// ctx ends or any part returns, with that part's error. A part that does not stop
// in time is left running and named in the error, which is then errLeft.
func sequence(ctx context.Context, within stopping, parts ...Part) error {
	first := make(chan *running, len(parts))
	all := make([]*running, len(parts))
	for i, p := range parts {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{name: p.Name, cancel: cancel, done: make(chan struct{})}
		all[i] = r
		go func() {
			r.err = p.Run(own)
			close(r.done)
			first <- r
		}()
	}
	var err error
	var broken *running
	select {
	case <-ctx.Done():
	case broken = <-first:
		if err = broken.err; err == nil {
			err = fmt.Errorf("%s ended on its own", broken.name)
		}
	}
	left := within.stop(all)
	for _, r := range all {
		if r != broken && r.ended() && r.err != nil && err == nil {
			err = fmt.Errorf("stop %s: %w", r.name, r.err)
		}
	}
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("stop %s: %w", strings.Join(left, ", "), errLeft))
	}
	return err
}

// stop stops all parts, the last first, and returns the names of those that are
// left running.
func (s stopping) stop(all []*running) (left []string) {
	deadline := time.Now().Add(s.total)
	for i := len(all) - 1; i >= 0; i-- {
		all[i].cancel()
		all[i].wait(min(s.each, time.Until(deadline)))
	}
	deadline = time.Now().Add(s.last)
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].wait(time.Until(deadline)) {
			left = append(left, all[i].name)
		}
	}
	return left
}

// wait reports whether the part has ended within d.
func (r *running) wait(d time.Duration) bool {
	if r.ended() {
		return true
	}
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-r.done:
		return true
	case <-timer.C:
		return false
	}
}

func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
