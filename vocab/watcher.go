package vocab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// WatcherOptions are all required but the last.
type WatcherOptions struct {
	Client redis.UniversalClient
	Prefix string // of every key; may be empty
	Name   string // of the vocabulary
	Poll   time.Duration
	Logger *slog.Logger
	Meter  metric.Meter
	// Reporter gets a report on the part "vocabulary" after each look at Redis:
	// why what is there could not be read or is not in force, or nil. Of the further
	// ones of Watchers it gets a warning about the part "vocabulary NAME". nil:
	// telemetry.Quiet.
	Reporter telemetry.Reporter
}

// Watcher follows the content of a vocabulary's hash. Any number of goroutines
// may call Current.
type Watcher struct {
	WatcherOptions
	store   *Store
	errors  metric.Int64Counter
	reload  telemetry.Reload
	further bool   // one beside the default one (Watchers)
	edited  func() // called when current or read is replaced; may be nil

	mu      sync.Mutex
	current *Vocabulary
	read    *Vocabulary
	changed chan struct{} // closed when current or read is replaced

	// Used by Run only.
	logged string // what was logged last: "redis" or a fault; empty while all is well
}

// NewWatcher checks the options; nothing is read before Run.
func NewWatcher(o WatcherOptions) (*Watcher, error) {
	if o.Client == nil || o.Logger == nil || o.Meter == nil || o.Name == "" || o.Poll <= 0 {
		return nil, errors.New("vocabulary: client, logger, meter, name and poll are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	w := &Watcher{WatcherOptions: o, store: NewStore(o.Client, o.Prefix), changed: make(chan struct{})}
	in := telemetry.Instruments{Meter: o.Meter}
	w.errors = in.CounterBy("frostwatch.vocabulary.errors", "{poll}", "polls of Redis after which the newest vocabulary was not in force, by vocabulary")
	w.reload = telemetry.Reload{
		OK: in.Gauge("frostwatch.vocabulary.last_reload_successful", "", "1 if the newest content could be read and used, else 0, by vocabulary"),
		At: in.Gauge("frostwatch.vocabulary.last_reload_success_timestamp", "s", "when that was so at the last look at Redis, by vocabulary"),
		Of: []attribute.KeyValue{attribute.String("vocabulary", o.Name)},
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	w.countErrors(context.Background(), 0) // so that it is exported before the first
	return w, nil
}

// Current is the newest vocabulary that could be used, nil before the first. The
// channel is closed when it is replaced, or when Read is. The vocabularies
// themselves never change.
func (w *Watcher) Current() (*Vocabulary, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current, w.changed
}

// Read is the content that was read last, nil before the first. It is Current's
// unless it was refused as a whole. It has no labels and no problems if it was
// refused because of its size or because the key is no hash.
func (w *Watcher) Read() *Vocabulary {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.read
}

// publish makes v what was read last, and current if it is usable.
func (w *Watcher) publish(v *Vocabulary, usable bool) {
	if w.replace(v, usable) && w.edited != nil {
		w.edited()
	}
}

// replace returns whether current or read was replaced.
func (w *Watcher) replace(v *Vocabulary, usable bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !usable:
		w.read = v
	case w.current != nil && w.current.Version == v.Version:
		if w.read == w.current {
			return false
		}
		w.read = w.current
	default:
		w.read, w.current = v, v
	}
	close(w.changed)
	w.changed = make(chan struct{})
	return true
}

// part names the vocabulary in reports.
func (w *Watcher) part() string {
	if w.further {
		return "vocabulary " + w.Name
	}
	return "vocabulary"
}

// forget withdraws all warnings. Run has returned.
func (w *Watcher) forget() {
	w.reload.Done(context.Background(), nil) // nothing is wrong with what nobody uses
	w.Reporter.Warning(w.part(), nil)
	w.Reporter.Warning(w.part()+" history", nil)
}

// Run follows the hash until ctx ends. While Redis is unreachable it keeps
// trying.
func (w *Watcher) Run(ctx context.Context) error {
	return NewFollower(FollowerOptions{
		Hash: w.store.Hash(w.Name), Poll: w.Poll, Part: w.part(), Take: w.take, Looked: w.report, Logger: w.Logger, Reporter: w.Reporter,
	}).Run(ctx)
}

// report reports the result of a look at Redis. An error is logged when it
// begins, when it becomes a different one, and when it ends.
func (w *Watcher) report(ctx context.Context, err error, unreachable bool) {
	switch emptied := w.empty(err); {
	case !w.further:
		w.Reporter.Problem("vocabulary", err)
		w.Reporter.Warning("vocabulary", emptied)
	case err != nil:
		w.Reporter.Warning(w.part(), err)
	default:
		w.Reporter.Warning(w.part(), emptied)
	}
	w.reload.Done(ctx, err)
	what := ""
	if err != nil {
		w.countErrors(ctx, 1)
		what = "redis" // errors of one outage differ in details such as ports
		if !unreachable {
			what = err.Error()
		}
	}
	if what == w.logged {
		return
	}
	w.logged = what
	current, _ := w.Current()
	switch {
	case err == nil:
		w.Logger.InfoContext(ctx, w.part()+": up to date again")
	case current == nil:
		w.Logger.WarnContext(ctx, w.part()+": none is loaded yet, so nothing is recognised"+w.where(), "error", err)
	default:
		// Whether it is in force already, only infer knows.
		w.Logger.WarnContext(ctx, w.part()+": the one that was read before is kept", "labels", len(current.Labels), "error", err)
	}
}

func (w *Watcher) countErrors(ctx context.Context, n int64) {
	w.errors.Add(ctx, n, metric.WithAttributes(attribute.String("vocabulary", w.Name)))
}

// empty is the warning about a vocabulary that was emptied on purpose, or nil.
func (w *Watcher) empty(err error) error {
	if current, _ := w.Current(); err != nil || current == nil || len(current.Labels) > 0 {
		return nil
	}
	return fmt.Errorf("vocabulary %s was emptied on purpose: nothing is recognised%s until a label is added", w.Name, w.where())
}

// where is on which cameras nothing is recognised without the vocabulary.
func (w *Watcher) where() string {
	if w.further {
		return " on its cameras"
	}
	return ""
}

// take makes what was read current if check allows. The error is why it does not.
func (w *Watcher) take(c Content) error {
	v, fault := Vocabulary{Name: w.Name}, c.Unreadable
	if fault == nil {
		if v, fault = parse(w.Name, c.Entries); fault == nil {
			fault = w.check(v, c.Emptied)
		}
	}
	w.publish(&v, fault == nil)
	return fault
}

// check refuses a vocabulary without usable labels unless it was emptied on
// purpose. It is more likely that Redis lost its data, was flushed, or is the
// wrong one, and clips that are scored against no labels are lost.
func (w *Watcher) check(v Vocabulary, emptied bool) error {
	if len(v.Labels) > 0 || emptied {
		return nil
	}
	key := w.store.Key(w.Name)
	current, _ := w.Current()
	switch {
	case len(v.Problems) > 0:
		return fmt.Errorf("none of the %d labels of vocabulary %s can be used; what is wrong with the first: %w", len(v.Problems), w.Name, v.Problems[0].Err)
	case current == nil || len(current.Labels) == 0:
		return fmt.Errorf("vocabulary %s has no labels yet (Redis key %s): nothing is recognised%s until one is added", w.Name, key, w.where())
	default:
		return fmt.Errorf("vocabulary %s came back empty (Redis key %s): the %d labels that were read before are kept until labels are added, or it is emptied on purpose", w.Name, key, len(current.Labels))
	}
}
