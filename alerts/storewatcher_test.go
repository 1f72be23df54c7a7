package alerts

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

// followedStore is a store that is followed.
type followedStore struct {
	*redistest.Server
	store   *Store
	reports *stagetest.Reports
	reader  *sdkmetric.ManualReader
	mu      sync.Mutex
	seen    []string // the rules after each change, with a "!" before those that are skipped
}

func followStore(t *testing.T) *followedStore {
	t.Helper()
	f := &followedStore{Server: redistest.Start(t), reports: stagetest.NewReports(), reader: sdkmetric.NewManualReader()}
	f.store = NewStore(f.Client, "f:")
	w, err := NewStoreWatcher(StoreWatcherOptions{
		Store: f.store, Poll: 20 * time.Millisecond, Logger: new(stagetest.Log).Logger(), Reporter: f.reports,
		Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(f.reader)).Meter(""),
		Changed: func(s *Stored) {
			var names []string
			for _, r := range s.Rules {
				names = append(names, r.Name)
			}
			for _, p := range s.Problems {
				names = append(names, "!"+p.Rule)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.seen = append(f.seen, strings.Join(names, " "))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *followedStore) await(t *testing.T, want ...string) {
	t.Helper()
	stagetest.Await(t, fmt.Sprintf("the rules %q", want), func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return fmt.Sprintf("%q", f.seen) == fmt.Sprintf("%q", want)
	})
}

func (f *followedStore) awaitWarning(t *testing.T, want string) {
	t.Helper()
	f.reports.AwaitWarning(t, partStore, want)
}

func TestRulesAreEditedWithRedisCli(t *testing.T) {
	f := followStore(t)
	f.await(t, "") // a store that nobody uses is nothing to warn of
	f.awaitWarning(t, "")
	f.HSet(t, "f:rules", "wave", `actions: ["person waving"]`)
	f.await(t, "", "wave")
	f.HSet(t, "f:rules", "run", "actions: [")
	f.await(t, "", "wave", "wave !run")
	f.HSet(t, "f:rules", "run", `{"actions": ["running"]}`)
	f.await(t, "", "wave", "wave !run", "run wave")
	past, err := f.store.Past(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last := past.Edits[len(past.Edits)-1]; last.By != vocab.External || len(last.Changes) != 1 || last.Changes[0].Label != "run" || *last.Changes[0].Before != "actions: [" {
		t.Errorf("the edit is not in the history: %+v", last)
	}
}

// A Redis that is away, or has lost its data, takes no rule away; one that was
// emptied on purpose does.
func TestRulesOutliveRedis(t *testing.T) {
	f := followStore(t)
	f.HSet(t, "f:rules", "wave", `actions: ["person waving"]`)
	stagetest.Await(t, "the rule", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.seen != nil && f.seen[len(f.seen)-1] == "wave" })
	f.mu.Lock()
	f.seen = nil
	f.mu.Unlock()
	f.Kill()
	f.awaitWarning(t, "look at the rules in Redis")
	f.Forget()
	f.Restart()
	f.awaitWarning(t, "came back empty (Redis key f:rules): the 1 that were read before stay in force")
	f.await(t)
	if n, there := stagetest.Counts(t, f.reader)["frostwatch.rules.last_reload_successful"]; n != 0 || !there {
		t.Errorf("the gauge of the last reload is %d", n)
	}
	if err := f.store.Put(t.Context(), "run", "actions: [running]"); err != nil {
		t.Fatal(err)
	}
	f.awaitWarning(t, "")
	f.await(t, "run")
	if absent, err := f.store.Remove(t.Context(), "run", "wave"); err != nil || fmt.Sprint(absent) != "[wave]" {
		t.Errorf("got %v, %v", absent, err)
	}
	if absent, err := f.store.Remove(t.Context(), "run"); err != nil || len(absent) > 0 {
		t.Errorf("got %v, %v", absent, err)
	}
	f.await(t, "run", "")
	f.awaitWarning(t, "")
	stagetest.Await(t, "the gauge to say that the newest rules are in force", func() bool {
		return stagetest.Counts(t, f.reader)["frostwatch.rules.last_reload_successful"] == 1
	})
}

func TestAStoreThatCanNotBeReadIsReported(t *testing.T) {
	f := followStore(t)
	f.await(t, "")
	if err := f.Client.Set(t.Context(), "f:rules", "oops", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f.awaitWarning(t, "the key f:rules is not a hash: check what it is, then delete it and add the rules again")
	if err := f.store.Put(t.Context(), "run", "clips: 3 of 2"); err == nil || !strings.Contains(err.Error(), "want exactly one of actions") {
		t.Errorf("got %v", err)
	}
	if err := f.store.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.awaitWarning(t, "")
}
