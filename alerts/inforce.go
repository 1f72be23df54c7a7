package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// InForce says which version of the rules in Redis a worker that evaluates them has in
// force.
type InForce struct {
	Worker  string `json:"worker"`
	Version string `json:"version"`
	// Skipped are rules that it skips, by name, and why: the first few.
	Skipped map[string]string `json:"skipped,omitempty"`
}

const maxSkippedOut = 10

// InForce lists what workers have announced lately, sorted by worker.
func (s *Store) InForce(ctx context.Context) (out []InForce, err error) {
	values, err := s.Announced(ctx)
	for _, v := range values {
		var f InForce
		if json.Unmarshal([]byte(v), &f) != nil || f.Worker == "" || len(f.Skipped) > maxSkippedOut {
			continue
		}
		f.Worker, f.Version = topics.Clean(f.Worker), topics.Clean(f.Version)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b InForce) int { return cmp.Compare(a.Worker, b.Worker) })
	return out, err
}

// announce says in Redis what is in force, once it has changed and every so often. What
// fails is tried again after the next look.
func (w *StoreWatcher) announce(ctx context.Context) {
	if w.Worker == nil || w.current == nil {
		return
	}
	f := InForce{Worker: w.Worker(), Version: w.current.Version}
	if f.Worker == "" || f.Version == w.announced && time.Since(w.announcedAt) < vocab.AnnounceEvery {
		return
	}
	if w.Skipped != nil {
		f.Skipped = w.Skipped(maxSkippedOut)
	}
	if err := w.Store.Announce(ctx, f.Worker, f); err == nil {
		w.announced, w.announcedAt = f.Version, time.Now()
	}
}

// withdraw says that the worker has stopped.
func (w *StoreWatcher) withdraw(ctx context.Context) {
	if w.announcedAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = w.Store.Withdraw(ctx, w.Worker()) // else it counts for a while
}
