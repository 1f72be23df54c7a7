package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// soaking is a rig whose cameras are disturbed.
type soaking struct {
	*capacityRig
	r    *rand.Rand
	done map[string]int
	gone int // the camera that is away; -1: none
}

// run disturbs cameras for a while, one after the other, and returns what the processes
// held meanwhile.
func (s *soaking) run(ctx context.Context, d time.Duration, say func(string, ...any)) ([]*held, error) {
	s.gone = -1
	seen := []*held{{name: "ingest", http: s.ingestHTTP}, {name: "infer", http: s.inferHTTP}}
	begun := time.Now()
	acts, reported := begun, begun
	for time.Since(begun) < d {
		if !pause.For(ctx, soakEvery) {
			return nil, context.Cause(ctx)
		}
		for _, p := range seen {
			if err := p.look(ctx, time.Since(begun)); err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if time.Since(acts) >= soakAct && d-time.Since(begun) > soakSilent/2 {
			acts = time.Now()
			if err := s.act(ctx); err != nil {
				return nil, err
			}
		}
		if time.Since(reported) > time.Minute {
			reported = time.Now()
			say("soak: %v, %s, %s, %s", time.Since(begun).Round(time.Second), deeds(s.done), seen[0].latest(), seen[1].latest())
		}
	}
	return seen, s.back(ctx)
}

// act does one thing to the cameras. One that is away comes back first.
func (s *soaking) act(ctx context.Context) error {
	if s.gone >= 0 {
		s.done["back"]++
		return s.back(ctx)
	}
	camera := s.r.IntN(s.running)
	switch s.r.IntN(5) {
	case 0:
		s.done["freeze"]++
		return s.freeze(ctx)
	case 1, 2:
		s.done["away"]++
		s.gone = camera
		return s.table.Remove(ctx, cameraName(camera))
	}
	s.done["another film"]++
	return s.table.Put(ctx, topics.Camera{Name: cameraName(camera), URL: s.urls[s.r.IntN(len(s.urls))]})
}

// back has the camera that is away come back.
func (s *soaking) back(ctx context.Context) error {
	if s.gone < 0 {
		return nil
	}
	camera := s.gone
	s.gone = -1
	return s.table.Put(ctx, topics.Camera{Name: cameraName(camera), URL: s.urls[camera]})
}

// freeze has all cameras send nothing for a while.
func (s *soaking) freeze(ctx context.Context) error {
	sim := s.sim.cmd.Process
	if err := sim.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("freeze the cameras: %w", err)
	}
	ended := !pause.For(ctx, soakFreeze)
	if err := sim.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("let the cameras go on: %w", err)
	}
	if ended {
		return context.Cause(ctx)
	}
	return nil
}
