package ingest

import (
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/topics"
)

// leases are the partitions of cameras that this worker holds.
type leases struct {
	group string

	mu   sync.Mutex
	held map[partition]bool
}

func (l *leases) add(p partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[p] = true
}

func (l *leases) remove(p partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, p)
}

// describe writes into the worker's record which partitions it holds.
func (l *leases) describe(w *topics.Worker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := topics.WorkerStage{Group: l.group}
	for p := range l.held {
		st.Partitions = append(st.Partitions, p.ID())
		st.Generation = max(st.Generation, p.Generation())
	}
	slices.Sort(st.Partitions)
	if w.Stages == nil {
		w.Stages = map[string]topics.WorkerStage{}
	}
	w.Stages["ingest"] = st
}
