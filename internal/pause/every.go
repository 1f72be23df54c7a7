package pause

import (
	"context"
	"time"
)

// Every calls fn each d, for the first time after one d, until ctx ends. A call that
// takes longer than d is followed by one call, not by all those that it missed.
func Every(ctx context.Context, d time.Duration, fn func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if ctx.Err() == nil {
				fn()
			}
		}
	}
}
