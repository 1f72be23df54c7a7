package ingest

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	b := Backoff{Min: time.Second, Max: time.Minute}
	for failures, step := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 100: time.Minute,
	} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := b.wait(failures)
			if d < step/2 || d > step {
				t.Errorf("after %d failures: %v, want %v to %v", failures, d, step/2, step)
			}
			seen[d] = true
		}
		if len(seen) < 25 {
			t.Errorf("after %d failures: only %d different waits", failures, len(seen))
		}
	}
}
