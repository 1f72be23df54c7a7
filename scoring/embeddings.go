// Package scoring compares clips with a vocabulary. It embeds the vocabulary's
// texts, keeps them as a Matrix, and scores clip embeddings against it.
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

// Embedder is a model's text tower. EmbedLabels returns for each text a vector of
// length 1, or nil and at the same index of problems the reason. err is for a
// failure of the whole call.
type Embedder interface {
	EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error)
	ID() string
	Dim() int // length of a vector
}

// EmbeddingsOptions are all required.
type EmbeddingsOptions struct {
	Client   redis.UniversalClient
	Prefix   string // of every key; may be empty
	Embedder Embedder
	Logger   *slog.Logger
	Meter    metric.Meter
}

// Embeddings returns the vectors of any texts, from the cache in Redis or else
// from the model, and caches what the model computes. It is safe for concurrent
// use.
type Embeddings struct {
	EmbeddingsOptions
	cache   cache
	seconds metric.Float64Histogram

	mu     sync.Mutex
	chunk  int            // how many texts to give the model in the next call
	faults map[use]string // uses of the cache that failed when last tried, and how
	added  int            // texts added to the cache since it was pruned
}

const (
	// maxChunk bounds the texts of one call of the model.
	maxChunk = 64
	// chunkTime is roughly how long such a call may take, because an edit of the
	// vocabulary has to wait for its end.
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
		chunk:             1, faults: map[use]string{},
	}
	in := telemetry.Instruments{Meter: o.Meter}
	// The buckets reach from one text on a GPU to a chunk on a busy core.
	e.seconds = in.Seconds("frostwatch.vocabulary.embed.duration", "one call of the text tower",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
	return e, in.Err()
}

// Of returns each text's vector of length 1, or the reason why the model refuses
// the text. The vectors must not be changed. It blocks until all texts are
// embedded, the model fails, or ctx ends.
func (e *Embeddings) Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error) {
	p := e.begin(ctx, texts)
	for !p.whole() {
		if err := p.next(ctx); err != nil {
			return nil, nil, err
		}
	}
	e.logUncached(ctx, e.cache.note(ctx, slices.Collect(maps.Keys(p.vectors)), keepAsked))
	return p.vectors, p.refused, nil
}

// embed embeds a few texts, caches them, and adapts the number of texts for the
// next call.
func (e *Embeddings) embed(ctx context.Context, texts []string, p *pass) error {
	began := time.Now()
	vectors, problems, err := e.Embedder.EmbedLabels(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed labels: %w", err)
	}
	took := time.Since(began)
	e.seconds.Record(ctx, took.Seconds())
	e.adapt(len(texts), took)
	fresh, err := e.collect(texts, vectors, problems, p)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		e.noteCache(ctx, writing, e.cache.put(ctx, fresh))
		e.countAdded(ctx, len(fresh))
	}
	return nil
}

// countAdded counts texts added to the cache and prunes it after every
// pruneAfter of them.
func (e *Embeddings) countAdded(ctx context.Context, added int) {
	e.mu.Lock()
	e.added += added
	due := e.added >= pruneAfter
	if due {
		e.added = 0
	}
	e.mu.Unlock()
	if due {
		e.logUncached(ctx, e.cache.prune(ctx, cacheCap))
	}
}

// keepUsed extends how long the vectors of texts that are in use stay cached.
func (e *Embeddings) keepUsed(ctx context.Context, texts []string) {
	e.logUncached(ctx, e.cache.note(ctx, texts, keepUsed))
}

// renew is keepUsed, and prunes the cache.
func (e *Embeddings) renew(ctx context.Context, texts []string) {
	e.keepUsed(ctx, texts)
	e.logUncached(ctx, e.cache.prune(ctx, cacheCap))
}

// logUncached logs an error of note or prune. It only means that texts may have
// to be embedded again, or that the cache stays larger for a while.
func (e *Embeddings) logUncached(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		e.Logger.DebugContext(ctx, "embeddings: the cache could not be maintained", "error", err)
	}
}

// adapt sets the size of the next chunk by how long the last one took.
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

// collect checks what the model returned and adds it to p; fresh are the new
// vectors.
func (e *Embeddings) collect(texts []string, vectors [][]float32, problems []error, p *pass) (fresh map[string][]float32, err error) {
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
			v = slices.Clone(v) // it may be part of a large slice, which it would keep in memory
			p.vectors[t], fresh[t] = v, v
		}
	}
	return fresh, nil
}
