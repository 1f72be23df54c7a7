package calibrate

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// embedder is vectors as infer's model.
type embedder struct{}

func (embedder) ID() string { return "m" }
func (embedder) Dim() int   { return dims }
func (embedder) EmbedLabels(_ context.Context, texts []string) ([][]float32, []error, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = vectorOf(t)
	}
	return out, make([]error, len(texts)), nil
}

// liveMatrix is the matrix that an infer worker scores clips with.
func liveMatrix(t *testing.T, labels ...vocab.Label) *scoring.Matrix {
	t.Helper()
	redis, log, meter := redistest.Start(t), slog.New(slog.DiscardHandler), noop.NewMeterProvider().Meter("t")
	if err := vocab.NewStore(redis.Client, "f:").Put(t.Context(), "default", labels...); err != nil {
		t.Fatal(err)
	}
	watchers, err := vocab.NewWatchers(vocab.WatcherOptions{Client: redis.Client, Prefix: "f:", Name: "default", Poll: 50 * time.Millisecond, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: redis.Client, Prefix: "f:", Embedder: embedder{}, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	live, err := scoring.NewLive(scoring.LiveOptions{Vocabularies: watchers, Embeddings: embeddings, References: everyday(), Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watchers.Run(ctx) })
	g.Go(func() error { return live.Run(ctx) })
	t.Cleanup(func() {
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-live.Ready():
	case <-time.After(time.Minute):
		t.Fatal("the vocabulary is not ready")
	}
	return live.Current()
}

// seenBy makes a recognition of what a clip looks like in each of its views, as infer
// does. A camera without views has one clip.
func seenBy(m *scoring.Matrix, random *rand.Rand, views []topics.View, looks ...string) func(*topics.Recognition) {
	return func(r *topics.Recognition) {
		vector := func(text string) topics.Float16Vector {
			v := vectorOf(text)
			for i := range v {
				v[i] += float32(.25 * random.NormFloat64())
			}
			return topics.RoundFloat16(v)
		}
		var clips []scoring.Clip
		for _, text := range looks {
			clips = append(clips, scoring.Clip{Mean: vector(text), First: vector("a person standing"), Last: vector(text)})
		}
		scored := m.ScoreViews(clips, float32(r.LogitScale), 2, scoring.NewWatched([]string{"fall", "leaves a bag"}, nil, false))
		r.Labels, r.Background, r.References = scored.Labels, scored.Background, scored.References
		r.Embedding, r.First, r.Last = clips[0].Mean, clips[0].First, clips[0].Last
		for i, v := range views[:min(len(views), len(looks))] {
			seen := topics.SeenView{View: v, Box: topics.Box{Left: random.Float64() / 2, Top: random.Float64() / 2, Width: .3, Height: .3}}
			if i > 0 {
				seen.Embedding, seen.First, seen.Last, seen.Logit = clips[i].Mean, clips[i].First, clips[i].Last, scored.Logits[i]
			}
			r.Views = append(r.Views, seen)
		}
	}
}

// lively is an afternoon in which things happen, mostly where the first view does not
// show them: on one camera in the zoom, on another in tiles; a third has no views.
func lively(m *scoring.Matrix) *recorded {
	past, random := &recorded{}, rand.New(rand.NewPCG(8, 8))
	for i := range 400 {
		happens := "a person walking"
		switch i % 40 {
		case 11, 12, 13:
			happens = "leaves a bag"
		case 30, 31:
			happens = "fall"
		}
		zoomed := []string{"an empty hall", happens}[:1+min(1, i%3)]
		past.add(0, "hall", i, seenBy(m, random, []topics.View{"centre", "zoom"}, zoomed...))
		tiles := []string{"a closed door", "a wall", "a plant", "a closed door"}
		tiles[i%4] = happens
		past.add(1, "door", i, seenBy(m, random, []topics.View{"squash", "tiles", "tiles", "tiles"}, tiles...))
		past.add(1, "ward", i, seenBy(m, random, nil, happens))
	}
	return past
}

// without is a past whose recognitions lack labels, so that all is worked out from
// embeddings.
func (r *recorded) without() *recorded {
	out := &recorded{actions: map[int][]archive.Record[topics.Recognition]{}}
	for p, all := range r.actions {
		all = slices.Clone(all)
		for i := range all {
			all[i].Value.Labels = nil
		}
		out.actions[p] = all
	}
	return out
}

// files is a past in segments.
func (r *recorded) files(t *testing.T) Past {
	t.Helper()
	bucket, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	for partition, records := range r.actions {
		if _, err := bucket.Import(t.Context(), partition, 0, slices.Clone(records)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := archive.NewReader(archive.ReaderOptions{Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
