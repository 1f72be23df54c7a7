package alerts

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// stalled is how long recognitions may wait without one being evaluated.
const stalled = 15 * time.Second

// held are the partitions that the stage holds now, with their progress.
type held struct {
	mu         sync.Mutex
	partitions map[int]*progress
}

// progress is that of one partition.
type progress struct {
	p    *bus.Partition
	at   time.Time     // when a recognition was last dealt with, or none waited
	late time.Duration // age of that recognition then
}

func (h *held) add(p *bus.Partition, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.partitions == nil {
		h.partitions = map[int]*progress{}
	}
	h.partitions[p.ID()] = &progress{p: p, at: now}
}

func (h *held) remove(p *bus.Partition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.partitions, p.ID())
}

// moved notes that a recognition was dealt with, and how old it was then.
func (h *held) moved(partition int, now time.Time, age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.partitions[partition]; g != nil {
		g.at, g.late = now, age
	}
}

// check returns an error where recognitions wait and none is evaluated.
func (h *held) check(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(h.partitions)) {
		g := h.partitions[id]
		lag := g.p.Lag()
		if lag == 0 {
			g.at = now
		}
		if waits := now.Sub(g.at); waits > stalled {
			return fmt.Errorf("partition %d: no recognition has been evaluated for %s, recognitions waiting: %d", id, waits.Round(time.Second), lag)
		}
	}
	return nil
}

// describe is the stage's part of the worker's record.
func (h *held) describe(group string) topics.WorkerStage {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := topics.WorkerStage{Group: group, Partitions: slices.Sorted(maps.Keys(h.partitions))}
	for _, g := range h.partitions {
		out.Generation = max(out.Generation, g.p.Generation())
		lag := g.p.Lag()
		if out.Lag += lag; lag > 0 {
			out.Late = max(out.Late, g.late.Seconds())
		}
	}
	return out
}

func (s *Stage) describe() {
	s.Reporter.Check("alerts", func() error { return s.held.check(s.Now()) })
	s.Reporter.Describe(func(w *topics.Worker) {
		if w.Stages == nil {
			w.Stages = map[string]topics.WorkerStage{}
		}
		w.Stages["alerts"] = s.held.describe(s.Group)
	})
}
