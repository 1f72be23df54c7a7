package scoring

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const quick = 50 * time.Millisecond // between looks at Redis

// set edits the vocabulary that tests watch: label, value, label, value, ...
func set(t *testing.T, s *redistest.Server, pairs ...string) {
	t.Helper()
	s.HSet(t, "f:vocab:default", pairs...)
}

// setup is what tests vary.
type setup struct {
	Embedder    Embedder
	BaseClasses []string
	References  []string
	Poll        time.Duration
	OnEdit      func(string, []vocab.Change)
	Announce    time.Duration // interval; 0: the usual one
	Meter       metric.Meter  // nil: nothing is measured
}

// watched is a Live at work, with its Watcher.
type watched struct {
	*Live
	log     *stagetest.Log
	reports *stagetest.Reports
	stop    func() // and wait for the end; once is enough
}

func watch(t *testing.T, s *redistest.Server, o setup) *watched {
	t.Helper()
	out := &watched{log: &stagetest.Log{}, reports: stagetest.NewReports()}
	if o.Poll == 0 {
		o.Poll = quick
	}
	if o.Embedder == nil {
		o.Embedder = &embedder{}
	}
	log, meter := out.log.Logger(), o.Meter
	if meter == nil {
		meter = noop.NewMeterProvider().Meter("")
	}
	watchers, err := vocab.NewWatchers(vocab.WatcherOptions{
		Client: s.Client, Prefix: "f:", Name: "default", Poll: o.Poll, Logger: log, Meter: meter, Reporter: out.reports,
	})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := NewEmbeddings(EmbeddingsOptions{Client: s.Client, Prefix: "f:", Embedder: o.Embedder, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	out.Live, err = NewLive(LiveOptions{
		Vocabularies: watchers, Embeddings: embeddings, BaseClasses: o.BaseClasses, References: o.References, OnEdit: o.OnEdit, Logger: log, Meter: meter, Reporter: out.reports,
	})
	if err != nil {
		t.Fatal(err)
	}
	out.first.announcer.every = cmp.Or(o.Announce, out.first.announcer.every)
	out.lookAgain = 50 * time.Millisecond
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watchers.Run(ctx) })
	g.Go(func() error { return out.Run(ctx) })
	out.stop = sync.OnceFunc(func() {
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(out.stop)
	return out
}

// labels are the names in force, nil before the first vocabulary.
func (w *watched) labels() []string {
	m := w.Current()
	if m == nil {
		return nil
	}
	names := []string{}
	for _, l := range m.Labels() {
		names = append(names, l.Name)
	}
	return names
}

func (w *watched) awaitLabels(t *testing.T, want ...string) {
	t.Helper()
	stagetest.Await(t, fmt.Sprintf("labels %q", want), func() bool { return w.Current() != nil && slices.Equal(w.labels(), want) })
}

// awaitHealth waits until embedding reports an error that contains want; "" is
// success.
func (w *watched) awaitHealth(t *testing.T, want string) {
	t.Helper()
	w.reports.AwaitProblem(t, "embeddings", want)
}

// awaitWatcher is awaitHealth for the Watcher.
func (w *watched) awaitWatcher(t *testing.T, want string) {
	t.Helper()
	w.reports.AwaitProblem(t, "vocabulary", want)
}
