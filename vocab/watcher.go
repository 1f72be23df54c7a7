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
	metrics watchMetrics

	// Of Run alone.
	latest       Vocabulary            // what is in current
	known        map[string]*embedding // of the texts in use, by text
	bases        bases
	pending      []string // base classes that are not embedded yet
	chunk        int      // texts to embed at once
	failing      bool     // the last look did not succeed
	cacheFailing bool
}

type watchMetrics struct {
	labels  metric.Int64Gauge
	changes metric.Int64Counter
	errors  metric.Int64Counter
	embed   metric.Float64Histogram
}

// digestScript hashes the content where the content is: a look at ten thousand
// labels costs forty bytes. A new order of the fields is a new digest, and then
// merely a look for nothing. What is too large is counted and not read.
const digestScript = `
local labels = redis.call('HLEN', KEYS[1])
if labels > tonumber(ARGV[1]) then return {labels, ''} end
return {labels, redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[1]), '\0'))}`

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
		digest:  redis.NewScript(digestScript),
		known:   map[string]*embedding{},
		bases:   bases{known: map[string]bool{}},
		pending: slices.Clone(o.BaseClasses),
		chunk:   1,
	}
	// As in embed: workers share the work.
	rand.Shuffle(len(w.pending), func(i, j int) { w.pending[i], w.pending[j] = w.pending[j], w.pending[i] })
	for _, c := range o.BaseClasses {
		w.bases.known[fold(c)] = true
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
		digest, more, err := w.step(ctx, seen)
		if ctx.Err() != nil {
			return nil
		}
		seen = digest
		w.tell(ctx, err)
		wait := w.Poll
		switch {
		case err != nil:
			wait = time.Second/2 + rand.N(time.Second)
		case more:
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-hinted:
		}
	}
	return nil
}

// step takes an edit over and then embeds some more of the base classes; more
// says whether any are left. The digest is that of the content in force.
func (w *Watcher) step(ctx context.Context, seen string) (digest string, more bool, err error) {
	digest, err = w.look(ctx, seen)
	if err != nil {
		return seen, false, err
	}
	more, err = w.embedBases(ctx)
	return digest, more, err
}

// tell passes on how the last step went. An outage is logged when it begins and
// when it ends.
func (w *Watcher) tell(ctx context.Context, err error) {
	w.OnHealth(err)
	switch {
	case err != nil && !w.failing:
		w.Logger.WarnContext(ctx, "vocabulary: the last one goes on serving", "error", err)
	case err == nil && w.failing:
		w.Logger.InfoContext(ctx, "vocabulary: fresh again")
	}
	if err != nil {
		w.metrics.errors.Add(ctx, 1)
	}
	w.failing = err != nil
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
	answer, err := w.digest.Run(ctx, w.Client, []string{w.store.key(w.Name)}, maxLabels).Slice()
	if err != nil {
		return "", fmt.Errorf("look at vocabulary %s: %w", w.Name, err)
	}
	if len(answer) == 2 {
		labels, isCount := answer[0].(int64)
		hash, isHash := answer[1].(string)
		if isCount && isHash {
			return fmt.Sprintf("%d/%s", labels, hash), checkSize(w.Name, labels)
		}
	}
	return "", fmt.Errorf("look at vocabulary %s: redis answers %v", w.Name, answer)
}

// take embeds what is new and makes v current; false when v is outdated before
// it is whole.
func (w *Watcher) take(ctx context.Context, v Vocabulary, digest string) (bool, error) {
	var texts []string
	for _, l := range v.Labels {
		texts = append(texts, l.Texts()...)
	}
	problems, whole, err := w.embed(ctx, texts, digest)
	if err != nil || !whole {
		return false, err
	}
	kept := v.Labels[:0:0]
	for _, l := range v.Labels {
		if bad := slices.IndexFunc(l.Texts(), func(t string) bool { return problems[t] != nil }); bad >= 0 {
			v.Problems = append(v.Problems, Problem{Label: l.Name, Err: problems[l.Texts()[bad]]})
			continue
		}
		kept = append(kept, l)
	}
	v.Labels = kept
	w.latest = v
	w.serve()
	w.forget(texts)
	w.report(ctx, v)
	return true, nil
}

// serve makes a matrix of the latest vocabulary.
func (w *Watcher) serve() { w.current.Store(newMatrix(w.latest, w.known, w.bases)) }

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
