package console

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// passDays are read in one pass of the log; fewer after one that took too long.
const passDays = 7

// passes read the log some days at a time, one after the other for all who want some.
type passes struct {
	turn chan struct{} // held by who reads; guards step
	step int
	time time.Duration // bounds a pass
}

func newPasses() passes { return passes{make(chan struct{}, 1), passDays, dayTime} }

// pass calls read for the day that begins at a time and some before it, from first on, none
// of them older than oldest, unless the day has become known. One that takes too long is no
// error: who asks again reads less.
func (p *passes) pass(ctx context.Context, begin, oldest time.Time, known func() bool, read func(ctx context.Context, first time.Time) error) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("count the alerts of %s: %w", begin.Format(time.DateOnly), ctx.Err())
	}
	defer func() { <-p.turn }()
	if known() {
		return nil
	}
	first := later(begin.Add(-time.Duration(p.step-1)*day), oldest)
	soon, cancel := context.WithTimeout(ctx, p.time)
	defer cancel()
	err := read(soon, first)
	if err != nil && ctx.Err() == nil && errors.Is(soon.Err(), context.DeadlineExceeded) && p.step > 1 {
		p.step /= 2
		return nil
	}
	if err != nil {
		return fmt.Errorf("count the alerts from %s to %s: %w", first.Format(time.DateOnly), begin.Format(time.DateOnly), err)
	}
	return nil
}
