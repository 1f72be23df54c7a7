// Package scoring compares clips with a vocabulary: embeddings of texts, the
// matrix of a vocabulary, scores and what they mean.
package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// Embedder is a model's text tower. For each text it gives a unit vector, or
// nil and the reason in problems at the same place; err concerns them all.
type Embedder interface {
	EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error)
	ID() string
	Dim() int // length of a vector
}

// EmbeddingsOptions are all required.
type EmbeddingsOptions struct {
	Client   redis.UniversalClient
	Prefix   string // before every key; may be empty
	Embedder Embedder
	Logger   *slog.Logger
	Meter    metric.Meter
}

// Embeddings gives the vectors of any texts: those cached in Redis first, the
// others from the model, which are then cached. Any goroutine may use it.
type Embeddings struct {
	EmbeddingsOptions
	cache   cache
	seconds metric.Float64Histogram

	mu           sync.Mutex
	chunk        int  // texts to embed at once
	cacheFailing bool // the last use of the cache did not succeed
	added        int  // to the cache since it was pruned
}

const (
	// maxChunk bounds the texts that the model is given at once.
	maxChunk = 64
	// chunkTime is roughly how long the model may take for them: an edit waits.
	chunkTime = time.Second / 2
)

// NewEmbeddings checks the options.
func NewEmbeddings(o EmbeddingsOptions) (*Embeddings, error) {
	if o.Client == nil || o.Embedder == nil || o.Logger == nil || o.Meter == nil {
		return nil, errors.New("embeddings: client, embedder, logger and meter are required")
	}
	e := &Embeddings{
		EmbeddingsOptions: o,
		cache:             newCache(o.Client, o.Prefix, o.Embedder.ID(), o.Embedder.Dim()),
		chunk:             1,
	}
	in := telemetry.Instruments{Meter: o.Meter}
	// From one text on a GPU to a chunk on a busy core.
	e.seconds = in.Seconds("frostwatch.vocabulary.embed_seconds", "one call of the text tower",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
	return e, in.Err()
}

// Of gives each text's unit vector, which is not to be changed, or the reason
// why the model can't take it. It blocks until all are embedded, with err when
// the model fails or ctx ends.
func (e *Embeddings) Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error) {
	p := e.begin(ctx, texts)
	for !p.whole() {
		if err := p.next(ctx); err != nil {
			return nil, nil, err
		}
	}
	e.logLease(ctx, e.cache.note(ctx, slices.Collect(maps.Keys(p.vectors)), keepAsked))
	return p.vectors, p.refused, nil
}

// embed asks the model for a few texts, caches what it gives, and decides how
// many the next call is to have.
func (e *Embeddings) embed(ctx context.Context, texts []string, p *pass) error {
	began := time.Now()
	vectors, problems, err := e.Embedder.EmbedLabels(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed labels: %w", err)
	}
	took := time.Since(began)
	e.seconds.Record(ctx, took.Seconds())
	e.adapt(len(texts), took)
	fresh, err := e.sound(texts, vectors, problems, p)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		e.noteCache(ctx, e.cache.put(ctx, fresh))
		e.pruneAfter(ctx, len(fresh))
	}
	return nil
}

// pruneAfter prunes the cache once many have been added.
func (e *Embeddings) pruneAfter(ctx context.Context, added int) {
	e.mu.Lock()
	e.added += added
	due := e.added >= pruneAfter
	if due {
		e.added = 0
	}
	e.mu.Unlock()
	if due {
		e.logLease(ctx, e.cache.prune(ctx, cacheCap))
	}
}

// keepUsed notes texts that are in use.
func (e *Embeddings) keepUsed(ctx context.Context, texts []string) {
	e.logLease(ctx, e.cache.note(ctx, texts, keepUsed))
}

// renew notes all texts that are in use and drops what is not kept any longer.
func (e *Embeddings) renew(ctx context.Context, texts []string) {
	e.keepUsed(ctx, texts)
	e.logLease(ctx, e.cache.prune(ctx, cacheCap))
}

// logLease logs what keeps entries from being kept or dropped: the next try may
// do better.
func (e *Embeddings) logLease(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		e.Logger.DebugContext(ctx, "embeddings: what is kept of the cache", "error", err)
	}
}

// adapt sets the size of a chunk by how long the last one took.
func (e *Embeddings) adapt(texts int, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case took > chunkTime:
		e.chunk = max(e.chunk/2, 1)
	case took < chunkTime/2 && texts == e.chunk:
		e.chunk = min(2*e.chunk, maxChunk)
	}
}

func (e *Embeddings) chunkSize() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.chunk
}

// sound checks what the model gave and puts it into p; fresh are the vectors.
func (e *Embeddings) sound(texts []string, vectors [][]float32, problems []error, p *pass) (fresh map[string][]float32, err error) {
	if len(vectors) != len(texts) || len(problems) != len(texts) {
		return nil, fmt.Errorf("embed labels: %d vectors and %d problems for %d texts", len(vectors), len(problems), len(texts))
	}
	fresh = map[string][]float32{}
	for i, t := range texts {
		switch v := vectors[i]; {
		case problems[i] != nil:
			p.refused[t] = problems[i]
		case len(v) != e.Embedder.Dim():
			return nil, fmt.Errorf("embed label %q: vector of %d, the model's are of %d", t, len(v), e.Embedder.Dim())
		case !isUnit(v):
			p.refused[t] = errors.New("its embedding is not a unit vector")
		default:
			v = slices.Clone(v) // it may be a piece of something large
			p.vectors[t], fresh[t] = v, v
		}
	}
	return fresh, nil
}

// noteCache logs trouble with the cache when it begins and when it ends. It
// costs time and nothing else.
func (e *Embeddings) noteCache(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && !e.cacheFailing:
		e.Logger.WarnContext(ctx, "vocabulary: text embeddings are not cached", "error", err)
	case err == nil && e.cacheFailing:
		e.Logger.InfoContext(ctx, "vocabulary: text embeddings are cached again")
	}
	e.cacheFailing = err != nil
}
