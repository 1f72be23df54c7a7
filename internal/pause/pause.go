// Package pause waits, but not beyond the end of a context.
package pause

import (
	"context"
	"time"
)

// For waits for d and says whether it passed before ctx ended. With nothing to
// wait for it says whether ctx goes on.
func For(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
