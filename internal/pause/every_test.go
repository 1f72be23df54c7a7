package pause_test

import (
	"context"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

func TestEveryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls, begun := 0, time.Now()
	pause.Every(ctx, 20*time.Millisecond, func() {
		if calls++; calls == 3 {
			cancel()
		}
	})
	// A tick that was due when the context ended may still be taken.
	if took := time.Since(begun); calls < 3 || calls > 4 || took < 60*time.Millisecond {
		t.Errorf("%d calls in %v, want 3 after an interval each", calls, took)
	}
}
