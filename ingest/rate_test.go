package ingest

import (
	"testing"
	"time"
)

func TestFrameRate(t *testing.T) {
	for _, c := range []struct {
		steps []time.Duration // repeated
		want  float64
	}{
		{[]time.Duration{time.Second / 15}, 15},
		{[]time.Duration{1001 * time.Second / 30000}, 29.97},
		{[]time.Duration{0, 80 * time.Millisecond}, 12.5}, // two frames of one time are one
		{[]time.Duration{time.Hour, -time.Hour, 100 * time.Millisecond}, 10},
	} {
		m, settled, at := frameRate{}, 0, time.Duration(0)
		for i := range 90 {
			if m.see(at, false) {
				settled++
			}
			at += c.steps[i%len(c.steps)]
		}
		if d := m.fps - c.want; settled != 1 || d > 0.02 || d < -0.02 {
			t.Errorf("%v: %v fps, settled %d times, want %v once", c.steps, m.fps, settled, c.want)
		}
	}
}
