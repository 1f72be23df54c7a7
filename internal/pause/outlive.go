package pause

import (
	"context"
	"time"
)

// Outlive is ctx with its end put off by d: what is at hand when ctx ends has so
// long to be finished. cancel ends it at once, and may be called again.
func Outlive(ctx context.Context, d time.Duration) (own context.Context, cancel context.CancelFunc) {
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	// A timer that fires late ends what has ended.
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(d, end) })
	return own, func() {
		unhook()
		end()
	}
}
