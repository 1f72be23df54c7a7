package commands

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
)

// rulesWorker follows the rules as a worker of this name does, until the function that it
// returns is called.
func (r ruleRig) rulesWorker(t *testing.T, name string) (stop func()) {
	t.Helper()
	w, err := alerts.NewStoreWatcher(alerts.StoreWatcherOptions{
		Store: alerts.NewStore(r.Client, "f:"), Poll: 20 * time.Millisecond, Changed: func(*alerts.Stored) {},
		Worker:  func() string { return name },
		Skipped: func(int) map[string]string { return map[string]string{"bad": "it is skipped: why\x1b[31m"} },
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = func() {
		if cancel(); ended != nil {
			if err := <-ended; err != nil {
				t.Error(err)
			}
			ended = nil
		}
	}
	t.Cleanup(stop)
	for store := alerts.NewStore(r.Client, "f:"); ; time.Sleep(10 * time.Millisecond) {
		all, err := store.InForce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.Worker == name {
				return stop
			}
		}
	}
}

func TestEditsOfRulesAreConfirmedByWorkers(t *testing.T) {
	r := newRuleRig(t)
	add := func(name string) string {
		return r.run(t, "rule", "add", name, "--action", "running")
	}
	holds(t, add("a"), "rule a added", "not in force yet: no alerts worker has reported itself")
	stop := r.rulesWorker(t, "one")
	holds(t, add("b"), "rule b added", "in force in 1 of 1 alerts worker\n")
	r.rulesWorker(t, "two")
	holds(t, add("bad"), "in force in 2 of 2 alerts workers\n", "rule bad in one: it is skipped: why [31m", "rule bad in two: ")
	holds(t, r.run(t, "rule", "rm", "b"), "removed: b\nin force in 2 of 2 alerts workers\n")
	holds(t, r.run(t, "rule", "rollback", "--before", "0s"), "in force in 2 of 2 alerts workers\n")
	holds(t, r.run(t, "watch", "person waving"), "in force in 2 of 2 alerts workers\n")
	holds(t, r.run(t, "watch", "--undo", "person-waving"), "rule person-waving removed", "in force in 2 of 2 alerts workers\n")
	stop() // it says so
	holds(t, add("c"), "in force in 1 of 1 alerts worker\n")
	if err := alerts.NewStore(r.Client, "f:").Announce(t.Context(), "hung", alerts.InForce{Worker: "hung", Version: "0123"}); err != nil {
		t.Fatal(err)
	}
	holds(t, r.run(t, "rule", "rm", "--all"), "in force in 1 of 2 alerts workers\n  not yet in hung, which has version 0123\n")
}
