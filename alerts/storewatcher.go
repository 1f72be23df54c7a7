package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/vocab"
)

// StoreWatcherOptions are all required but Worker, Skipped, Meter and Reporter.
type StoreWatcherOptions struct {
	Store *Store
	Poll  time.Duration
	// Changed is called with the rules when they have been read for the first time,
	// and whenever they have changed; one call at a time. They never change.
	Changed func(*Stored)
	// Worker is the name under which it is announced in Redis what is in force; empty:
	// this process evaluates no rules. nil: nothing is announced.
	Worker func() string
	// Skipped are that many of the rules that are skipped at most, and why.
	Skipped func(most int) map[string]string
	Logger  *slog.Logger
	Meter   metric.Meter // nil: nothing is measured
	// Reporter gets a warning while the rules that Redis holds are not in use. nil:
	// telemetry.Quiet.
	Reporter telemetry.Reporter
}

// StoreWatcher follows the rules in Redis. Where Redis is away, or has lost them, the
// last ones stay.
type StoreWatcher struct {
	StoreWatcherOptions
	reload telemetry.Reload

	// Used by Run only.
	current *Stored // nil: none has been read
	parser  storedParser
	logged  string // what was logged last; empty while all is well
	// announced is the version that was announced last.
	announced   string
	announcedAt time.Time
}

// NewStoreWatcher checks the options; nothing is read before Run.
func NewStoreWatcher(o StoreWatcherOptions) (*StoreWatcher, error) {
	if o.Store == nil || o.Changed == nil || o.Logger == nil || o.Poll <= 0 {
		return nil, errors.New("rules in Redis: store, changed, logger and poll are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.Meter == nil {
		o.Meter = noop.Meter{}
	}
	in := telemetry.Instruments{Meter: o.Meter}
	return &StoreWatcher{StoreWatcherOptions: o, parser: storedParser{}, reload: telemetry.Reload{
		OK: in.Gauge("frostwatch.rules.last_reload_successful", "", "1 if the newest rules in Redis could be read, else 0"),
		At: in.Gauge("frostwatch.rules.last_reload_success_timestamp", "s", "when that was so at the last look at Redis"),
	}}, in.Err()
}

// partStore is the name under which the store of rules is reported.
const partStore = "rules in Redis"

// Run follows the rules until ctx ends.
func (w *StoreWatcher) Run(ctx context.Context) error {
	defer w.withdraw(ctx)
	return vocab.NewFollower(vocab.FollowerOptions{
		Hash: w.Store.Hash, Poll: w.Poll, Part: partStore, Take: w.take, Looked: w.report, Logger: w.Logger, Reporter: w.Reporter,
	}).Run(ctx)
}

// take puts the rules that were read in use. The error is why it does not.
func (w *StoreWatcher) take(c vocab.Content) error {
	if c.Unreadable != nil {
		return c.Unreadable
	}
	if n := w.kept(); n > 0 && len(c.Entries) == 0 && !c.Emptied {
		return fmt.Errorf("they came back empty (Redis key %s): the %d that were read before stay in force until rules are added, or `frostwatch rule rm --all` says that none is meant", w.Store.Key(), n)
	}
	if w.current != nil && w.current.Version == c.Version {
		return nil
	}
	next := w.parser.parse(c)
	w.current = &next
	w.Changed(&next)
	return nil
}

// kept is how many rules were read last, those that are skipped included.
func (w *StoreWatcher) kept() int {
	if w.current == nil {
		return 0
	}
	return len(w.current.Rules) + len(w.current.Problems)
}

// report reports the result of a look at Redis. An error is logged when it begins,
// when it becomes a different one, and when it ends.
func (w *StoreWatcher) report(ctx context.Context, err error, unreachable bool) {
	if !unreachable {
		w.announce(ctx)
	}
	w.reload.Done(ctx, err)
	if err != nil && w.current == nil {
		err = fmt.Errorf("they could not be read yet, so only those of the configuration file are in force: %w", err)
	}
	w.Reporter.Warning(partStore, err)
	what := ""
	if err != nil {
		what = "redis" // errors of one outage differ in details such as ports
		if !unreachable {
			what = err.Error()
		}
	}
	if what == w.logged {
		return
	}
	w.logged = what
	if err == nil {
		w.Logger.InfoContext(ctx, "rules in Redis: up to date again")
		return
	}
	w.Logger.WarnContext(ctx, "rules in Redis: those that were read before stay in force", "rules", w.kept(), "error", err)
}
