package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

func TestEveryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls, begun := 0, time.Now()
		pause.Every(ctx, 20*time.Millisecond, func() {
			if calls++; calls == 3 {
				cancel()
				time.Sleep(time.Second) // the next tick is due when the context has ended
			}
		})
		if took := time.Since(begun); calls != 3 || took != 1060*time.Millisecond {
			t.Errorf("%d calls, ended after %v, want 3 after an interval each", calls, took)
		}
	})
}
