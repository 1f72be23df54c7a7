package ingest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// lookEvery is how often cameras are asked for their newest clip.
const lookEvery = 2 * time.Second

// least is the shortest time without a clip that is reported.
const least = 15 * time.Second

// progress watches that streams become clips on Kafka: a camera can stream in
// the best of health while nothing comes of it.
type progress struct {
	mu       sync.Mutex
	reported map[*runner]bool
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

// forget ends what is said of a camera that is no longer this worker's.
func (p *progress) forget(r *runner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.reported, r)
	r.Reporter.Warning(r.part(), nil)
}

// watchProgress looks until ctx ends.
func (s *Stage) watchProgress(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.look(s.Now())
		}
	}
}

// look reports cameras that have streamed for three windows without a clip, and
// the stage where that goes for all that stream.
func (s *Stage) look(now time.Time) {
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	streaming, stuck := 0, 0
	seen := map[*runner]bool{}
	for _, r := range s.live.list() {
		st := r.state.Load()
		if st == nil || st.State != topics.StreamStreaming {
			continue
		}
		streaming++
		seen[r] = true
		since := st.Since
		if clip := time.Unix(0, r.clipped.Load()); clip.After(since) {
			since = clip
		}
		age := now.Sub(since)
		if age <= s.patience(r.camera) {
			if p.reported[r] {
				r.log.Info("clips come again")
				r.Reporter.Warning(r.part(), nil)
				delete(p.reported, r)
			}
			continue
		}
		stuck++
		err := fmt.Errorf("it streams, but no clip of it has reached Kafka for %v", age.Round(time.Second))
		if !p.reported[r] {
			r.log.Warn("no clips", "error", err)
			p.reported[r] = true
		}
		r.Reporter.Warning(r.part(), err)
	}
	for r := range p.reported {
		if !seen[r] {
			delete(p.reported, r) // what became of the stream is reported instead
		}
	}
	p.judge(streaming, stuck)
}

func (p *progress) judge(streaming, stuck int) {
	if streaming == 0 || stuck < streaming {
		p.problem.Store(nil)
		return
	}
	err := fmt.Errorf("cameras stream, %d of them, but no clip of any reaches Kafka", streaming)
	p.problem.Store(&err)
}

// patience is how long a camera may stream without a clip.
func (s *Stage) patience(c topics.Camera) time.Duration {
	window := cmp.Or(time.Duration(c.Window), s.Window)
	return max(least, 3*max(window, cmp.Or(c.Stride, s.Stride).Of(window)))
}
