package process

import (
	"context"
	"fmt"
)

// Part is one blocking part of the process: a stage, or what stands beside the
// stages.
type Part struct {
	Name string
	Run  func(context.Context) error
}

// sequence runs parts side by side. They are started in the order given,
// consumers before producers, and stopped in the reverse: producers first, each
// waited for before the next is told, so that what was produced is still
// consumed. It returns when ctx ends or any part returns, with that part's error.
func sequence(ctx context.Context, parts ...Part) error {
	type ended struct {
		name string
		err  error
	}
	var (
		running = make([]func(), 0, len(parts)) // each stops its part and waits
		first   = make(chan ended, len(parts))
	)
	for _, s := range parts {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			first <- ended{s.Name, s.Run(own)}
		}()
		running = append(running, func() { cancel(); <-done })
	}
	var err error
	select {
	case <-ctx.Done():
	case e := <-first:
		if err = e.err; err == nil {
			err = fmt.Errorf("%s ended on its own", e.name)
		}
	}
	for i := len(running) - 1; i >= 0; i-- {
		running[i]()
	}
	for len(first) > 0 {
		if e := <-first; err == nil && e.err != nil {
			err = fmt.Errorf("stop %s: %w", e.name, e.err)
		}
	}
	return err
}
