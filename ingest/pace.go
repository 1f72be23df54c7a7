package ingest

import (
	"context"
	"math"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// pace lets a recording play at its own speed.
type pace struct {
	start time.Time
	on    bool
}

// wait returns when a frame is due, false if ctx ends before.
func (p *pace) wait(ctx context.Context, at time.Duration) bool {
	if !p.on {
		return ctx.Err() == nil
	}
	return pause.For(ctx, time.Until(p.start.Add(at)))
}

// meter measures a stream's frame rate by its own clock.
type meter struct {
	fps   float64
	told  bool // the rate was reported, or needs not be
	steps int  // that were measured
	begun bool
	last  time.Duration
	mean  float64 // seconds between frames, over the last twenty or so
}

// see takes the next frame's time and says, once, that the rate is settled.
func (m *meter) see(pts time.Duration) bool {
	step := (pts - m.last).Seconds()
	first := !m.begun
	m.last, m.begun = pts, true
	if first || step <= 0 || step > 10 {
		return false
	}
	m.steps++
	// The first steps count fully, later ones a twentieth.
	m.mean += (step - m.mean) / float64(min(m.steps, 20))
	m.fps = math.Round(100/m.mean) / 100
	if m.told || m.steps < 20 {
		return false
	}
	m.told = true
	return true
}
