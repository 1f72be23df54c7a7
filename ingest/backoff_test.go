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

// A camera that breaks off again and again, and gives clips in between, is not left alone
// for longer and longer.
func TestACameraThatGivesClipsIsBackSoon(t *testing.T) {
	b := Backoff{Min: time.Second, Max: time.Minute}
	for range 50 {
		if d := b.after(100, 10*time.Second, 4*time.Second); d > 10*time.Second {
			t.Errorf("10 s of video: tried again after %v", d)
		}
		if d := b.after(100, 3*time.Second, 4*time.Second); d < 30*time.Second {
			t.Errorf("too little video for a clip: tried again after %v", d)
		}
		if d := b.after(1, 10*time.Second, 4*time.Second); d > time.Second {
			t.Errorf("the first failure: tried again after %v", d)
		}
	}
}
