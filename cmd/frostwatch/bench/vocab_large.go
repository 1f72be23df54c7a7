package bench

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// largeFigures measures a large vocabulary whose embeddings are already cached.
type largeFigures struct {
	Labels    int     `json:"labels"`
	Dim       int     `json:"dim"`
	Score     float64 `json:"score_ms"`            // to score one clip
	ModelCore float64 `json:"model_core_ms"`       // the model's time for one clip, on one core
	Share     float64 `json:"share_of_model"`      // Score / ModelCore
	MB        float64 `json:"heap_mb"`             // by how much a worker's heap grows
	Load      float64 `json:"load_ms"`             // from start until it is in force
	Edit      float64 `json:"edit_to_in_force_ms"` // from adding one label until it is in force
}

const (
	largeLabels = 10_000
	largeTopK   = 10
	// largePatience is a generous limit for what takes about a second.
	largePatience = 2 * time.Minute
)

// largeVocabulary measures ten thousand labels on a Redis of its own. clips is
// how many clips the model embeds in a second on all cores.
func (b *bench) largeVocabulary(ctx context.Context, m *froster.Model, clips float64) (out largeFigures, err error) {
	b.say("vocab: %d labels", largeLabels)
	at, err := up.ChooseEndpoints("auto")
	if err != nil {
		return out, err
	}
	server, err := embedded.StartRedis(ctx, embedded.RedisOptions{
		Dir: filepath.Join(b.dir, "vocab-redis"), Port: up.Port(at.Redis), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return out, err
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { err = errors.Join(err, client.Close()) }()
	store := vocab.NewStore(client, "")
	if err := store.Put(ctx, "bench", manyLabels(largeLabels)...); err != nil {
		return out, err
	}
	model := &randomTexts{dim: m.Dim()}
	if err := b.watchLarge(ctx, client, model, func(*scoring.Live, time.Duration) error { return nil }); err != nil {
		return out, err // this one embedded them
	}
	out = largeFigures{Labels: largeLabels, Dim: m.Dim(), ModelCore: 1000 * float64(runtime.GOMAXPROCS(0)) / clips}
	before := heapMB()
	err = b.watchLarge(ctx, client, model, func(w *scoring.Live, loaded time.Duration) error {
		out.Load, out.MB = milli(loaded), heapMB()-before
		begun := time.Now()
		if err := store.Put(ctx, "bench", vocab.Label{Name: "one more"}); err != nil {
			return err
		}
		if err := waitFor(ctx, func() bool { return w.Current().Len() == largeLabels+1 }); err != nil {
			return err
		}
		out.Edit = milli(time.Since(begun))
		clip := model.vector("a clip")
		scored, err := rate(min(time.Second, b.Time), 1, func() error {
			if len(w.Current().Score(scoring.Clip{Mean: clip}, m.LogitScale(), largeTopK, nil).Labels) != largeTopK {
				return errors.New("labels are missing in a result")
			}
			return nil
		})
		out.Score = 1000 / scored
		out.Share = out.Score / out.ModelCore
		return err
	})
	return out, err
}

// watchLarge follows the vocabulary as a worker does and calls use when the vocabulary is in
// force.
func (b *bench) watchLarge(ctx context.Context, client redis.UniversalClient, model scoring.Embedder, use func(*scoring.Live, time.Duration) error) error {
	log, meter := slog.New(slog.DiscardHandler), noop.NewMeterProvider().Meter("")
	watcher, err := vocab.NewWatchers(vocab.WatcherOptions{Client: client, Name: "bench", Poll: 250 * time.Millisecond, Logger: log, Meter: meter})
	if err != nil {
		return err
	}
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: client, Embedder: model, Logger: log, Meter: meter})
	if err != nil {
		return err
	}
	live, err := scoring.NewLive(scoring.LiveOptions{Vocabularies: watcher, Embeddings: embeddings, Logger: log, Meter: meter})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	begun := time.Now()
	var g errgroup.Group
	g.Go(func() error { return watcher.Run(ctx) })
	g.Go(func() error { return live.Run(ctx) })
	select {
	case <-live.Ready():
		err = use(live, time.Since(begun))
	case <-time.After(largePatience):
		err = errors.New("the vocabulary is not in force")
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	return errors.Join(err, g.Wait())
}

func waitFor(ctx context.Context, holds func() bool) error {
	ctx, stop := context.WithTimeout(ctx, largePatience)
	defer stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the vocabulary: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func manyLabels(n int) []vocab.Label {
	labels := make([]vocab.Label, n)
	for i := range labels {
		labels[i] = vocab.Label{Name: fmt.Sprintf("a person doing thing number %d", i), Description: "in words of its own", Tags: []string{"bench"}}
	}
	return labels
}

// randomTexts replaces the text tower, which would take minutes.
type randomTexts struct{ dim int }

func (r *randomTexts) ID() string { return "bench" }
func (r *randomTexts) Dim() int   { return r.dim }

func (r *randomTexts) EmbedLabels(_ context.Context, texts []string) ([][]float32, []error, error) {
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		vectors[i] = r.vector(t)
	}
	return vectors, make([]error, len(texts)), nil
}

// vector returns a vector of length 1 that depends only on the text.
func (r *randomTexts) vector(text string) []float32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // writing to a hash never fails
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	values, norm := make([]float64, r.dim), 0.0
	for i := range values {
		values[i] = random.NormFloat64()
		norm += values[i] * values[i]
	}
	v := make([]float32, r.dim)
	for i, x := range values {
		v[i] = float32(x / math.Sqrt(norm))
	}
	return v
}

// heapMB is how much of the heap is in use after garbage collection.
func heapMB() float64 {
	runtime.GC()
	runtime.GC() // the second run frees what finalizers held in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
