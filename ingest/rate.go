package ingest

import (
	"math"
	"time"
)

// frameRate measures how many frames a second a stream has, by its own clock.
type frameRate struct {
	fps      float64
	reported bool // see has said that the rate is settled, or needs not
	steps    int  // that were measured
	begun    bool
	last     time.Duration
	skipped  bool    // frames that follow the latest were not decoded
	mean     float64 // seconds between frames, over the last twenty or so
}

// see takes the next frame's time, and whether frames between it and the one after it
// are skipped. It returns true once: when the rate is settled.
func (m *frameRate) see(pts time.Duration, skipped bool) bool {
	step := (pts - m.last).Seconds()
	first := !m.begun || m.skipped
	m.last, m.begun, m.skipped = pts, true, skipped
	if first || step <= 0 || step > 10 {
		return false
	}
	m.steps++
	// The first steps count fully, later ones a twentieth.
	m.mean += (step - m.mean) / float64(min(m.steps, 20))
	m.fps = math.Round(100/m.mean) / 100
	if m.reported || m.steps < 20 {
		return false
	}
	m.reported = true
	return true
}
