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

func TestMeter(t *testing.T) {
	for _, c := range []struct {
		steps []time.Duration // repeated
		want  float64
	}{
		{[]time.Duration{time.Second / 15}, 15},
		{[]time.Duration{1001 * time.Second / 30000}, 29.97},
		{[]time.Duration{0, 80 * time.Millisecond}, 12.5}, // two frames of one time are one
		{[]time.Duration{time.Hour, -time.Hour, 100 * time.Millisecond}, 10},
	} {
		m, told, at := meter{}, 0, time.Duration(0)
		for i := range 90 {
			if m.see(at) {
				told++
			}
			at += c.steps[i%len(c.steps)]
		}
		if d := m.fps - c.want; told != 1 || d > 0.02 || d < -0.02 {
			t.Errorf("%v: %v fps, told %d times, want %v once", c.steps, m.fps, told, c.want)
		}
	}
}
