package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

// announced is what is announced, or nothing.
func announced(t *testing.T, s *redistest.Server) (f vocab.InForce) {
	t.Helper()
	all, err := vocab.NewStore(s.Client, "f:").InForce(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) > 0 {
		f = all[0]
	}
	return f
}

// Embedding a large edit takes minutes. Announcements expire, so they go on
// meanwhile, and say how far it is, even if one call of the model never ends.
func TestAnEditIsAnnouncedWhileItIsEmbedded(t *testing.T) {
	s := redistest.Start(t)
	v := &valve{pass: make(chan struct{})}
	v.shut.Store(true)
	set(t, s, "fall", "")
	w := watch(t, s, setup{Embedder: &embedder{gate: v.gate}, Announce: time.Millisecond})
	stagetest.Await(t, "that nothing is in force yet", func() bool {
		f := announced(t, s)
		return f.Model == "model" && f.Version == "" && f.Pending != nil && *f.Pending == vocab.Pending{Version: f.Pending.Version, Texts: 1}
	})
	v.shut.Store(false)
	w.awaitLabels(t, "fall")
	first := w.Current().Version
	stagetest.Await(t, "the first version", func() bool { f := announced(t, s); return f.Version == first && f.Pending == nil })

	v.shut.Store(true)
	const labels = 300
	var many []string
	for i := range labels {
		many = append(many, fmt.Sprintf("label %d", i), "")
	}
	set(t, s, many...)
	pending := func(done int) func() bool {
		return func() bool {
			f := announced(t, s)
			return f.Version == first && f.Labels == 1 && f.Pending != nil && f.Pending.Version != first && f.Pending.Texts == labels && f.Pending.Embedded >= done
		}
	}
	stagetest.Await(t, "the newer version", pending(0))
	if err := s.Client.Del(t.Context(), "f:vocab-in-force:default").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "another announcement", pending(0))
	v.pass <- struct{}{}
	stagetest.Await(t, "progress", pending(1))
	v.shut.Store(false)
	stagetest.Await(t, "the version in force", func() bool { f := announced(t, s); return f.Labels == labels+1 && f.Pending == nil })
}

// Otherwise `frostwatch vocab ls` says "not in force yet" and nobody knows why.
func TestAnAnnouncementThatFailsIsReportedAndLoggedOnce(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "fall", "")
	w := watch(t, s, setup{Announce: time.Millisecond})
	stagetest.Await(t, "an announcement", func() bool { return announced(t, s).Labels == 1 })
	const fails, works = "vocabulary: announcements fail", "vocabulary: announcements succeed again"
	if err := s.Client.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "the failure", func() bool { return w.log.Contains(fails) })
	w.reports.AwaitWarning(t, "announcements", "what is in force can't be written to Redis")
	time.Sleep(20 * time.Millisecond) // for several more failures, which must not be logged
	if err := s.Client.ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "the end of it", func() bool { return w.log.Contains(works) })
	stagetest.Await(t, "the end of the warning", func() bool { return w.reports.WarningOf("announcements") == nil })
	for _, text := range []string{fails, works} {
		if n := w.log.Count(text); n != 1 {
			t.Errorf("%q is logged %d times", text, n)
		}
	}
	if !w.log.Contains("level=WARN msg=\"" + fails) {
		t.Errorf("it is no warning:\n%s", w.log)
	}
}
