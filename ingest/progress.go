package ingest

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/topics"
)

// lookEvery is how often cameras are asked for their newest clip.
const lookEvery = 2 * time.Second

// leastPatience is the shortest time without a clip that is reported.
const leastPatience = 10 * time.Second

// progress watches that streams become clips on Kafka: a camera can stream without
// a fault while no clip of it is published.
type progress struct {
	mu       sync.Mutex
	reported map[*runner]bool
	newest   pipe.Pulse // without its cameras
	problem  atomic.Pointer[error]
}

func newProgress() *progress { return &progress{reported: map[*runner]bool{}} }

// check is the stage's own state, for readiness: an error while cameras stream
// and no clip of any gets through.
func (p *progress) check() error {
	if err := p.problem.Load(); err != nil {
		return *err
	}
	return nil
}

// forget withdraws the warning about a camera that this worker no longer has.
func (p *progress) forget(r *runner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.reported, r)
	r.Reporter.Warning(r.part(), nil)
}

// look reports cameras that have streamed for two windows without a clip, and
// the stage where that goes for all that stream.
func (s *Stage) look(now time.Time) {
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	streaming, stuck, broken := 0, 0, 0
	seen := map[*runner]bool{}
	for _, r := range s.live.list() {
		st := r.state.Load()
		if st == nil || st.State != topics.StreamStreaming {
			continue
		}
		streaming++
		seen[r] = true
		since := r.lackingSince(st.Since)
		age := now.Sub(since)
		if age <= s.patience(r.camera) {
			if p.reported[r] {
				r.log.Info("clips reach Kafka again")
				r.Reporter.Warning(r.part(), nil)
				delete(p.reported, r)
			}
			r.health.clips()
			continue
		}
		stuck++
		err := fmt.Errorf("it streams, but no clip of it has reached Kafka for %v", age.Round(time.Second))
		if why := r.broken(); why != "" {
			broken++
			err = fmt.Errorf("it streams, but no clip of it has been made for %v: %s", age.Round(time.Second), why)
		}
		r.health.lacks(since, r.broken(), now)
		if !p.reported[r] {
			r.log.Warn("a camera streams without clips", "error", err)
			p.reported[r] = true
		}
		r.Reporter.Warning(r.part(), err)
	}
	for r := range p.reported {
		if !seen[r] {
			delete(p.reported, r) // why it does not stream is reported instead
		}
	}
	p.newest = pipe.Pulse{Streaming: streaming, Stuck: stuck, Broken: broken}
	for _, n := range s.fleet.pulses() {
		streaming, stuck, broken = streaming+n.Streaming, stuck+n.Stuck, broken+n.Broken
	}
	p.judge(streaming, stuck, broken)
}

// pulse is how many cameras streamed, and had no clip, when it was looked last.
func (p *progress) pulse() pipe.Pulse {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest
}

// lackingSince is since when a camera that streams since then could have made a clip: from
// the newest one on, or from the end of the first pause after it. That of a film that is
// played again must not look like a fault; of a camera that pauses again and again, only
// the first counts.
func (r *runner) lackingSince(streaming time.Time) time.Time {
	r.health.mu.Lock()
	since := r.health.resumed
	r.health.mu.Unlock()
	for _, t := range []time.Time{streaming, r.newestClip()} {
		if t.After(since) {
			since = t
		}
	}
	return since
}

// newestClip is when Kafka acknowledged the newest clip; in 1970 if there is none yet.
func (r *runner) newestClip() time.Time { return time.Unix(0, r.clipped.Load()) }

// judge is given how many cameras stream, how many of those have no clip, and how many
// of these because their video breaks off.
func (p *progress) judge(streaming, stuck, broken int) {
	if streaming == 0 || stuck < streaming {
		p.problem.Store(nil)
		return
	}
	err := fmt.Errorf("no clip reaches Kafka from any of the cameras that stream (%d)", streaming)
	if broken == stuck {
		err = fmt.Errorf("the video of every camera that streams (%d) breaks off before a clip is complete", streaming)
	}
	p.problem.Store(&err)
}

// patience is how long a camera may stream without a clip.
func (s *Stage) patience(c topics.Camera) time.Duration {
	window := cmp.Or(time.Duration(c.Window), s.Window)
	return max(leastPatience, 2*max(window, cmp.Or(c.Stride, s.Stride).Of(window)))
}
