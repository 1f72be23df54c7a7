package alerts

import (
	"context"
	"fmt"
	"time"
)

// silence knows when each camera was last heard of, by our clock. Only time in
// which Kafka could have brought a clip counts.
type silence struct {
	limit, every time.Duration // how long is too long, and how often to look
	since        map[string]time.Time
	looked       time.Time
}

func newSilence(limit time.Duration) silence {
	return silence{limit: limit, every: max(limit/12, time.Millisecond), since: map[string]time.Time{}}
}

func (s *silence) heard(camera string, now time.Time) { s.since[camera] = now }

// look begins a look at what is due. Where Kafka was away, or this worker was
// held up for longer than between two looks, every camera starts anew.
func (s *silence) look(now time.Time, reachable bool) {
	if held := now.Sub(s.looked) > 3*s.every; held || !reachable {
		clear(s.since)
	}
	s.looked = now
}

// over is whether the camera has been silent for too long; one that was not
// heard of, as after a restart, begins now.
func (s *silence) over(camera string, now time.Time) bool {
	since, ok := s.since[camera]
	if !ok {
		s.since[camera] = now
	}
	return ok && now.Sub(since) > s.limit
}

// dropSilent clears the alerts of cameras that have fallen silent.
func (w *worker) dropSilent(ctx context.Context) error {
	active := w.engine.Active()
	reachable := len(active) == 0 || w.reachable(ctx)
	w.silence.look(w.Now(), reachable)
	for _, camera := range active {
		if !w.silence.over(camera, w.Now()) {
			continue
		}
		if err := w.publish(ctx, w.engine.Drop(camera, fmt.Sprintf("no clip for %s", w.Silence)), nil); err != nil {
			return err
		}
	}
	return nil
}

// reachable is whether Kafka answers for this partition about as soon as the
// next look is due.
func (w *worker) reachable(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, max(w.silence.every, time.Second))
	defer cancel()
	_, _, err := w.p.Bounds(ctx)
	return err == nil
}
