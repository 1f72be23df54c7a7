package vocab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"
)

// Embedder is a model's text tower. For each text it gives a unit vector, or
// nil and the reason in problems at the same place; err concerns them all.
type Embedder interface {
	EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error)
	ID() string
	Dim() int // length of a vector
}

// Options of a Watcher.
type Options struct {
	Client      redis.UniversalClient
	Prefix      string
	Name        string // of the vocabulary
	Embedder    Embedder
	BaseClasses []string      // what the model was trained on
	Poll        time.Duration // between looks
	Logger      *slog.Logger
	Meter       metric.Meter
	// OnHealth hears nil when the vocabulary is fresh, and why when it is not; the
	// last one goes on serving.
	OnHealth func(error)
}

// Watcher keeps a Matrix up to date with the hash.
type Watcher struct {
	Options
	store   *Store
	cache   cache
	digest  *redis.Script
	current atomic.Pointer[Matrix]
	known   map[string][]float32 // embeddings of the texts in use, by text
	bases   *bases
	metrics watchMetrics
}

type watchMetrics struct {
	labels  metric.Int64Gauge
	changes metric.Int64Counter
	errors  metric.Int64Counter
	embed   metric.Float64Histogram
}

// NewWatcher checks the options; nothing is read before Run.
func NewWatcher(o Options) (*Watcher, error) {
	if o.Client == nil || o.Embedder == nil || o.Logger == nil || o.Meter == nil || o.Name == "" || o.Poll <= 0 {
		return nil, errors.New("vocabulary: client, embedder, logger, meter, name and poll are required")
	}
	if o.OnHealth == nil {
		o.OnHealth = func(error) {}
	}
	w := &Watcher{
		Options: o,
		store:   NewStore(o.Client, o.Prefix),
		cache:   cache{client: o.Client, key: o.Prefix + "embed:" + o.Embedder.ID(), dim: o.Embedder.Dim()},
		// The content's hash is made where the content is: a look at ten thousand
		// labels costs forty bytes. A new order of the fields is a new digest, and
		// then merely a look for nothing.
		digest: redis.NewScript(`return redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[1]), '\0'))`),
		known:  map[string][]float32{},
	}
	var errs [4]error
	w.metrics.labels, errs[0] = o.Meter.Int64Gauge("frostwatch.vocabulary.labels", metric.WithDescription("labels in use"))
	w.metrics.changes, errs[1] = o.Meter.Int64Counter("frostwatch.vocabulary.changes", metric.WithDescription("vocabularies taken over"))
	w.metrics.errors, errs[2] = o.Meter.Int64Counter("frostwatch.vocabulary.errors", metric.WithDescription("looks at Redis that did not succeed"))
	w.metrics.embed, errs[3] = o.Meter.Float64Histogram("frostwatch.vocabulary.embed_seconds", metric.WithUnit("s"), metric.WithDescription("one call of the text tower"))
	return w, errors.Join(errs[:]...)
}

// Current is the newest whole vocabulary, nil before the first.
func (w *Watcher) Current() *Matrix { return w.current.Load() }

// Run follows the hash until ctx ends. It never gives up on Redis.
func (w *Watcher) Run(ctx context.Context) error {
	hints := w.Client.Subscribe(ctx, w.store.hint())
	defer func() { _ = hints.Close() }()
	hinted := hints.Channel(redis.WithChannelSize(1))
	seen := ""
	for ctx.Err() == nil {
		digest, err := w.look(ctx, seen)
		wait := w.Poll
		switch {
		case err == nil:
			seen = digest
			w.OnHealth(nil)
		case ctx.Err() != nil:
			return nil
		default:
			w.metrics.errors.Add(ctx, 1)
			w.OnHealth(err)
			w.Logger.WarnContext(ctx, "vocabulary: the last one goes on serving", "error", err)
			wait = time.Second/2 + rand.N(time.Second)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-hinted:
		}
	}
	return nil
}

// look takes the content over when its digest is another than seen.
func (w *Watcher) look(ctx context.Context, seen string) (string, error) {
	digest, err := w.digestNow(ctx)
	if err != nil || digest == seen {
		return digest, err
	}
	v, err := w.store.List(ctx, w.Name)
	if err != nil {
		return "", err
	}
	if current := w.Current(); current != nil && current.Version == v.Version {
		return digest, nil
	}
	whole, err := w.take(ctx, v, digest)
	if err != nil {
		return "", err
	}
	if !whole {
		return seen, nil // edited meanwhile: look again
	}
	return digest, nil
}

func (w *Watcher) digestNow(ctx context.Context) (string, error) {
	digest, err := w.digest.Run(ctx, w.Client, []string{w.store.key(w.Name)}).Text()
	if err != nil {
		return "", fmt.Errorf("look at vocabulary %s: %w", w.Name, err)
	}
	return digest, nil
}

// take embeds what is new and makes v current; false when v is outdated before
// it is whole.
func (w *Watcher) take(ctx context.Context, v Vocabulary, digest string) (bool, error) {
	if err := w.embedBases(ctx); err != nil {
		return false, err
	}
	var texts []string
	for _, l := range v.Labels {
		texts = append(texts, l.texts()...)
	}
	problems, whole, err := w.embed(ctx, texts, digest)
	if err != nil || !whole {
		return false, err
	}
	kept := v.Labels[:0:0]
	for _, l := range v.Labels {
		if bad := slices.IndexFunc(l.texts(), func(t string) bool { return problems[t] != nil }); bad >= 0 {
			v.Problems = append(v.Problems, Problem{Label: l.Name, Err: problems[l.texts()[bad]]})
			continue
		}
		kept = append(kept, l)
	}
	v.Labels = kept
	w.current.Store(newMatrix(v, w.known, *w.bases))
	w.forget(texts)
	w.report(ctx, v)
	return true, nil
}

func (w *Watcher) report(ctx context.Context, v Vocabulary) {
	w.metrics.labels.Record(ctx, int64(len(v.Labels)))
	w.metrics.changes.Add(ctx, 1)
	for _, p := range v.Problems {
		w.Logger.WarnContext(ctx, "vocabulary: label skipped", "label", p.Label, "error", p.Err)
	}
	if len(v.Labels) == 0 {
		w.Logger.WarnContext(ctx, "vocabulary is empty: nothing can be recognised", "key", w.store.key(w.Name))
	}
	w.Logger.InfoContext(ctx, "vocabulary in force", "name", v.Name, "version", v.Version, "labels", len(v.Labels), "skipped", len(v.Problems))
}

// embedBases embeds the base classes once.
func (w *Watcher) embedBases(ctx context.Context) error {
	if w.bases != nil {
		return nil
	}
	problems, _, err := w.embed(ctx, w.BaseClasses, "")
	if err != nil {
		return err
	}
	b := &bases{known: map[string]bool{}}
	for _, c := range w.BaseClasses {
		b.known[fold(c)] = true
		if problems[c] == nil {
			b.names, b.vectors = append(b.names, c), append(b.vectors, w.known[c])
		}
	}
	w.bases = b
	return nil
}

// embedChunk is how many texts are embedded between two looks for an edit.
const embedChunk = 16

// embed puts the vectors of all texts into known: from there, from Redis, or
// from the model. Where a digest is given and the content changes meanwhile it
// stops, not whole; what was embedded is cached.
func (w *Watcher) embed(ctx context.Context, texts []string, digest string) (problems map[string]error, whole bool, err error) {
	var missing []string
	asked := map[string]bool{}
	for _, t := range texts {
		if w.known[t] == nil && !asked[t] {
			asked[t] = true
			missing = append(missing, t)
		}
	}
	cached, err := w.cache.get(ctx, missing)
	if err != nil {
		return nil, false, err
	}
	for t, v := range cached {
		w.known[t] = v
	}
	missing = slices.DeleteFunc(missing, func(t string) bool { return cached[t] != nil })
	problems = map[string]error{}
	for chunk := range slices.Chunk(missing, embedChunk) {
		if err := w.embedChunk(ctx, chunk, problems); err != nil {
			return nil, false, err
		}
		if digest == "" {
			continue
		}
		if now, err := w.digestNow(ctx); err != nil || now != digest {
			return nil, false, err
		}
	}
	return problems, true, nil
}

func (w *Watcher) embedChunk(ctx context.Context, texts []string, problems map[string]error) error {
	began := time.Now()
	vectors, bad, err := w.Embedder.EmbedLabels(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed labels: %w", err)
	}
	w.metrics.embed.Record(ctx, time.Since(began).Seconds())
	fresh := map[string][]float32{}
	for i, t := range texts {
		if bad[i] != nil {
			problems[t] = bad[i]
			continue
		}
		w.known[t], fresh[t] = vectors[i], vectors[i]
	}
	return w.cache.put(ctx, fresh)
}

// forget drops the embeddings of texts that are no longer in use.
func (w *Watcher) forget(used []string) {
	keep := map[string]bool{}
	for _, t := range append(slices.Clone(used), w.BaseClasses...) {
		keep[t] = true
	}
	for t := range w.known {
		if !keep[t] {
			delete(w.known, t)
		}
	}
}
