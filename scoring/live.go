package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/vocab"
)

// LiveOptions are all required but BaseClasses, Reporter and OnEdit.
type LiveOptions struct {
	Watcher     *vocab.Watcher // run by the caller
	Embeddings  *Embeddings
	BaseClasses []string // what the model was trained on
	Logger      *slog.Logger
	Meter       metric.Meter
	// Reporter hears as the part "embeddings" why what is scored against is not
	// the newest vocabulary, and as a warning "label NAME" why a label of it is
	// skipped. nil: telemetry.Quiet.
	Reporter telemetry.Reporter
	// OnEdit hears what has changed once it is in force, not of the first
	// vocabulary. It must return at once.
	OnEdit func([]vocab.Change)
}

// Live keeps a Matrix up to date with a vocabulary.
type Live struct {
	LiveOptions
	current atomic.Pointer[Matrix]
	ready   chan struct{}
	isReady sync.Once
	labels  metric.Int64Gauge
	changes metric.Int64Counter

	// Of Run alone.
	seen    *vocab.Vocabulary // the Watcher's that current is made of
	usable  vocab.Vocabulary  // seen, without what can't be embedded
	known   known
	bases   bases
	pending *pass // the base classes; nil before the first look
	based   bool  // all of them are embedded
	asks    *asks
	failing bool            // the last step did not succeed
	warned  map[string]bool // parts of the warnings that hold
}

// NewLive checks the options; nothing is embedded before Run.
func NewLive(o LiveOptions) (*Live, error) {
	if o.Watcher == nil || o.Embeddings == nil || o.Logger == nil || o.Meter == nil {
		return nil, errors.New("scoring: watcher, embeddings, logger and meter are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	l := &Live{LiveOptions: o, ready: make(chan struct{}), known: known{}, bases: newBases(o.BaseClasses), asks: o.Embeddings.newAsks()}
	in := telemetry.Instruments{Meter: o.Meter}
	l.labels = in.Gauge("frostwatch.vocabulary.labels", "labels in use")
	l.changes = in.Counter("frostwatch.vocabulary.changes", "vocabularies taken over")
	return l, in.Err()
}

// Current is the newest whole vocabulary, nil until Ready.
func (l *Live) Current() *Matrix { return l.current.Load() }

// Ready is closed once there is something to score against.
func (l *Live) Ready() <-chan struct{} { return l.ready }

// Run embeds what the Watcher brings until ctx ends, and between edits what other
// processes ask for. It never gives up on the model.
func (l *Live) Run(ctx context.Context) error {
	stop := l.asks.listen(ctx)
	defer stop()
	renew := time.NewTicker(renewUsed)
	defer renew.Stop()
	announce := time.NewTicker(vocab.AnnounceEvery)
	defer announce.Stop()
	for {
		v, changed := l.Watcher.Current()
		more, err := l.step(ctx, v, changed)
		if ctx.Err() != nil {
			return nil
		}
		l.report(ctx, err)
		if more {
			continue
		}
		var again <-chan time.Time
		if err != nil {
			again = time.After(time.Second/2 + rand.N(time.Second))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-again:
		case <-l.asks.heard:
			l.asks.more = true
		case <-announce.C:
			l.announce(ctx)
		case <-renew.C:
			l.Embeddings.renew(ctx, slices.Collect(maps.Keys(l.known)))
		}
	}
}

// step takes an edit over, then embeds a few texts that are asked for, then a few
// of the base classes; more says that there is more to do at once.
func (l *Live) step(ctx context.Context, v *vocab.Vocabulary, changed <-chan struct{}) (more bool, err error) {
	if v != nil && v != l.seen {
		whole, err := l.take(ctx, *v, changed)
		if err != nil || !whole {
			return err == nil, err
		}
		l.seen = v
	}
	asked := l.asks.serve(ctx)
	if l.seen == nil {
		return asked, nil
	}
	more, err = l.embedBases(ctx)
	return more || asked && err == nil, err
}

// take embeds what is new and makes v current; false when there is a newer one
// before it is whole.
func (l *Live) take(ctx context.Context, v vocab.Vocabulary, changed <-chan struct{}) (whole bool, err error) {
	var texts []string
	for _, label := range v.Labels {
		texts = append(texts, label.Texts()...)
	}
	fresh := l.known.unknown(texts)
	p := l.Embeddings.begin(ctx, fresh)
	for !p.whole() && err == nil && !closed(changed) {
		err = p.next(ctx)
	}
	l.known.add(p.vectors)
	if err != nil || !p.whole() {
		return false, err
	}
	usable := without(v, p.refused)
	if len(v.Labels) > 0 && len(usable.Labels) == 0 {
		return false, fmt.Errorf("none of the %d labels of vocabulary %s can be embedded, the first because of %w", len(v.Labels), v.Name, usable.Problems[len(v.Problems)].Err)
	}
	before := l.usable
	l.usable = usable
	l.serve()
	l.known.keep(texts, l.BaseClasses)
	l.confirm(ctx, before)
	l.announce(ctx)
	if l.seen == nil {
		l.Embeddings.renew(ctx, fresh)
	} else {
		l.Embeddings.keepUsed(ctx, fresh)
	}
	return true, nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// without is the vocabulary without the labels of refused texts, which become
// its problems.
func without(v vocab.Vocabulary, refused map[string]error) vocab.Vocabulary {
	if len(refused) == 0 {
		return v
	}
	kept := v.Labels[:0:0]
	problems := slices.Clone(v.Problems)
	for _, l := range v.Labels {
		texts := l.Texts()
		if bad := slices.IndexFunc(texts, func(t string) bool { return refused[t] != nil }); bad >= 0 {
			problems = append(problems, vocab.Problem{Label: l.Name, Err: refused[texts[bad]]})
			continue
		}
		kept = append(kept, l)
	}
	v.Labels, v.Problems = kept, problems
	return v
}

// serve makes a matrix of the newest vocabulary.
func (l *Live) serve() {
	l.current.Store(assemble(l.usable, l.known, l.bases))
	l.isReady.Do(func() { close(l.ready) })
}

// embedBases embeds the next few base classes, so that edits wait for few; more
// says whether any are left. With the last of them labels get their nearest: the
// nearest of some would be wrong.
func (l *Live) embedBases(ctx context.Context) (more bool, err error) {
	switch {
	case len(l.BaseClasses) == 0 || l.based:
		return false, nil
	case l.pending == nil:
		l.pending = l.Embeddings.begin(ctx, l.BaseClasses)
	}
	if !l.pending.whole() {
		if err := l.pending.next(ctx); err != nil {
			return false, fmt.Errorf("base classes: %w", err)
		}
	}
	if !l.pending.whole() {
		return true, nil
	}
	l.known.add(l.pending.vectors)
	l.bases, l.based = l.bases.embedded(l.BaseClasses, l.pending.vectors), true
	l.serve()
	l.Embeddings.keepUsed(ctx, l.BaseClasses)
	return false, nil
}

// report passes on how the last step went. A failure is logged when it begins
// and when it ends.
func (l *Live) report(ctx context.Context, err error) {
	if err == nil && l.Current() == nil {
		l.Reporter.Problem("embeddings", errors.New("no vocabulary is embedded yet"))
		return
	}
	l.Reporter.Problem("embeddings", err)
	switch {
	case err != nil && !l.failing:
		l.Logger.WarnContext(ctx, "embeddings: the last vocabulary goes on serving", "error", err)
	case err == nil && l.failing:
		l.Logger.InfoContext(ctx, "embeddings: fresh again")
	}
	l.failing = err != nil
}
