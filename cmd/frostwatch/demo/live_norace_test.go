//go:build !race

package demo_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// live is a vocabulary in Redis and what clips are scored against by it.
type live struct {
	*scoring.Live
	*scoring.Embeddings
	redis *redistest.Server
	store *vocab.Store
	model *froster.Model
}

// Of is that of Live: Embeddings has a method of the name, too.
func (l *live) Of(ctx context.Context, name string) *scoring.Matrix { return l.Live.Of(ctx, name) }

const vocabulary = "default"

func watchVocabulary(t *testing.T, m *froster.Model, labels ...vocab.Label) *live {
	t.Helper()
	redis, log, meter := redistest.Start(t), slog.New(slog.DiscardHandler), noop.NewMeterProvider().Meter("t")
	out := &live{redis: redis, store: vocab.NewStore(redis.Client, "f:"), model: m}
	if err := out.store.Put(t.Context(), vocabulary, labels...); err != nil {
		t.Fatal(err)
	}
	watcher, err := vocab.NewWatchers(vocab.WatcherOptions{Client: redis.Client, Prefix: "f:", Name: vocabulary, Poll: 50 * time.Millisecond, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	if out.Embeddings, err = scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: redis.Client, Prefix: "f:", Embedder: m, Logger: log, Meter: meter}); err != nil {
		t.Fatal(err)
	}
	out.Live, err = scoring.NewLive(scoring.LiveOptions{
		Vocabularies: watcher, Embeddings: out.Embeddings, BaseClasses: m.Bundle().BaseClasses, References: m.Bundle().ReferenceTexts(), Logger: log, Meter: meter,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watcher.Run(ctx) })
	g.Go(func() error { return out.Run(ctx) })
	t.Cleanup(func() {
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	<-out.Ready()
	return out
}

// awaitVersion waits until another vocabulary is in force.
func (l *live) awaitVersion(t *testing.T, before string) {
	t.Helper()
	stagetest.Await(t, "the edit", func() bool { return l.Current().Version != before })
}

// score gives recordings the labels that clips get now.
func (l *live) score(recs []topics.Recognition, watched *scoring.Watched) []topics.Recognition {
	out, m := make([]topics.Recognition, len(recs)), l.Current()
	for i, r := range recs {
		s := m.Score(scoring.Clip{Mean: r.Embedding, First: r.First, Last: r.Last}, l.model.LogitScale(), 10, watched)
		r.Labels, r.Background, r.References = s.Labels, s.Background, s.References
		r.Vocab = topics.VocabRef{Name: m.Name, Version: m.Version}
		out[i] = r
	}
	return out
}
