package pause

import (
	"context"
	"time"
)

// Outlive returns a context that ends d after ctx, so that work can be finished.
// cancel ends it at once, and may be called more than once.
func Outlive(ctx context.Context, d time.Duration) (own context.Context, cancel context.CancelFunc) {
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	// A timer that fires after cancel does nothing.
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(d, end) })
	return own, func() {
		unhook()
		end()
	}
}
