package vocab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// WatcherOptions are all required but the last.
type WatcherOptions struct {
	Client redis.UniversalClient
	Prefix string // before every key; may be empty
	Name   string // of the vocabulary
	Poll   time.Duration
	Logger *slog.Logger
	Meter  metric.Meter
	// Reporter hears after each look whether the vocabulary is fresh, as the part
	// "vocabulary". nil: telemetry.Quiet.
	Reporter telemetry.Reporter
}

// Watcher follows the content of a vocabulary's hash. Any number of readers may
// follow the Watcher.
type Watcher struct {
	WatcherOptions
	store  *Store
	digest *redis.Script
	errors metric.Int64Counter

	mu      sync.Mutex
	current *Vocabulary
	changed chan struct{} // closed when current is replaced

	failing bool // the last look did not succeed; of Run alone
}

// digestScript hashes the content where the content is: a look at ten thousand
// labels costs forty bytes. Where only the order of the fields changes the digest
// does too, which costs one reading more. What is too large is counted and not
// read.
const digestScript = `
local labels = redis.call('HLEN', KEYS[1])
if labels > tonumber(ARGV[1]) then return {labels, ''} end
return {labels, redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[1]), '\0'))}`

// NewWatcher checks the options; nothing is read before Run.
func NewWatcher(o WatcherOptions) (*Watcher, error) {
	if o.Client == nil || o.Logger == nil || o.Meter == nil || o.Name == "" || o.Poll <= 0 {
		return nil, errors.New("vocabulary: client, logger, meter, name and poll are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	w := &Watcher{WatcherOptions: o, store: NewStore(o.Client, o.Prefix), digest: redis.NewScript(digestScript), changed: make(chan struct{})}
	var err error
	w.errors, err = o.Meter.Int64Counter("frostwatch.vocabulary.errors", metric.WithDescription("looks at Redis that did not succeed"))
	return w, err
}

// Current is the newest vocabulary, nil before the first. The channel is closed
// once there is a newer one. What is returned is never changed.
func (w *Watcher) Current() (*Vocabulary, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current, w.changed
}

func (w *Watcher) publish(v *Vocabulary) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = v
	close(w.changed)
	w.changed = make(chan struct{})
}

// Run follows the hash until ctx ends. It never gives up on Redis.
func (w *Watcher) Run(ctx context.Context) error {
	hints := w.Client.Subscribe(ctx, w.store.hint())
	defer func() { _ = hints.Close() }()
	hinted := hints.Channel(redis.WithChannelSize(1))
	seen := ""
	for {
		digest, err := w.look(ctx, seen)
		if ctx.Err() != nil {
			return nil
		}
		seen = digest
		w.report(ctx, err)
		wait := w.Poll
		if err != nil {
			wait = time.Second/2 + rand.N(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		case <-hinted:
		}
	}
}

// report passes on how the last look went. An outage is logged when it begins
// and when it ends.
func (w *Watcher) report(ctx context.Context, err error) {
	w.Reporter.Problem("vocabulary", err)
	switch {
	case err != nil && !w.failing:
		w.Logger.WarnContext(ctx, "vocabulary: the last one goes on serving", "error", err)
	case err == nil && w.failing:
		w.Logger.InfoContext(ctx, "vocabulary: fresh again")
	}
	if err != nil {
		w.errors.Add(ctx, 1)
	}
	w.failing = err != nil
}

// look reads the content when its digest is another than seen, and returns the
// digest of the content that is current then.
func (w *Watcher) look(ctx context.Context, seen string) (digest string, err error) {
	digest, err = w.digestNow(ctx)
	if err != nil || digest == seen {
		return seen, err
	}
	v, err := w.store.List(ctx, w.Name)
	if err != nil {
		return seen, err
	}
	if current, _ := w.Current(); current == nil || current.Version != v.Version {
		w.publish(&v)
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
