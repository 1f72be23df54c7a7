package pause_test

import (
	"context"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

func TestOutliveEndsLater(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	own, end := pause.Outlive(ctx, 100*time.Millisecond)
	defer end()
	if own.Value(key{}) != "value" {
		t.Error("values are lost")
	}
	cancelled := time.Now()
	cancel()
	select {
	case <-own.Done():
		if early := time.Since(cancelled); early < 100*time.Millisecond {
			t.Errorf("ended after %v", early)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("never ends")
	}
}

func TestOutliveEndsAtOnceWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	before, endBefore := pause.Outlive(ctx, time.Hour)
	endBefore()
	endBefore()
	after, endAfter := pause.Outlive(ctx, time.Hour)
	cancel()
	endAfter()
	endAfter()
	for _, c := range []context.Context{before, after} {
		if c.Err() == nil {
			t.Error("goes on")
		}
	}
}
