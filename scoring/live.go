package scoring

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/vocab"
)

// LiveOptions are all required but BaseClasses, References, Reporter and OnEdit.
type LiveOptions struct {
	Vocabularies *vocab.Watchers // run by the caller
	Embeddings   *Embeddings
	BaseClasses  []string // what the model was trained on
	// References are the texts that contrasts are taken against, at least 2. Nothing
	// is served before they are embedded. Empty: labels have no contrast.
	References []string
	Logger     *slog.Logger
	Meter      metric.Meter
	// Reporter gets problems of the part "embeddings": why the newest default
	// vocabulary is not in force; of a further one that is a warning. Its warnings
	// `label "NAME"` say why a label is skipped, or that the model doesn't read all
	// of it. nil: telemetry.Quiet.
	Reporter telemetry.Reporter
	// OnEdit is called with the changes of each edit once it is in force, but not
	// for the first content of a vocabulary. It must return at once.
	OnEdit func(vocabulary string, changes []vocab.Change)
}

// Live keeps a Matrix up to date with each vocabulary that is in use. They share
// the embeddings of texts.
type Live struct {
	LiveOptions
	ready   chan struct{}
	isReady sync.Once
	whole   chan struct{}
	isWhole sync.Once
	labels  metric.Int64Gauge
	skipped metric.Int64Gauge
	changes metric.Int64Counter

	mu      sync.Mutex
	all     map[string]*served // by name
	changed chan struct{}      // see news
	first   *served            // the default vocabulary; never replaced

	// Used by Run only.
	known     known
	refs      *References // nil until all reference texts are embedded
	refsPass  *pass       // embeds them; nil before the first
	bases     bases
	basesPass *pass // embeds the base classes; nil before the first of them
	basesDone bool  // all base classes are embedded
	asks      *asks
	failing   bool // the last step failed
	// lookAgain is how often is looked whether Redis has lost the reference texts.
	lookAgain time.Duration
}

// NewLive checks the options; nothing is embedded before Run.
func NewLive(o LiveOptions) (*Live, error) {
	if o.Vocabularies == nil || o.Embeddings == nil || o.Logger == nil || o.Meter == nil {
		return nil, errors.New("scoring: vocabularies, embeddings, logger and meter are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	l := &Live{
		LiveOptions: o, ready: make(chan struct{}), whole: make(chan struct{}), all: map[string]*served{}, changed: make(chan struct{}),
		known: known{}, lookAgain: 30 * time.Second, bases: newBases(o.BaseClasses), asks: o.Embeddings.newAsks(),
	}
	in := telemetry.Instruments{Meter: o.Meter}
	l.labels = in.Gauge("frostwatch.vocabulary.labels", "{label}", "labels in force, by vocabulary")
	l.skipped = in.Gauge("frostwatch.vocabulary.labels_skipped", "{label}", "labels in Redis that can't be used, by vocabulary")
	l.changes = in.CounterBy("frostwatch.vocabulary.changes", "{content}", "contents that came into force, the first included, by vocabulary")
	l.first = l.open(o.Vocabularies.Default())
	return l, in.Err()
}

// Current is the newest content of the default vocabulary that is completely
// embedded, nil until Ready is closed.
func (l *Live) Current() *Matrix { return l.first.current.Load() }

// Ready is closed once there is something to score against.
func (l *Live) Ready() <-chan struct{} { return l.ready }

// Whole is closed once the same goes for all vocabularies in use that can be embedded.
func (l *Live) Whole() <-chan struct{} { return l.whole }

// Run embeds the vocabularies until ctx ends, and in between the texts that other
// processes ask for. When the model fails it tries again after about a second. It
// always returns nil.
func (l *Live) Run(ctx context.Context) error {
	stop := l.asks.listen(ctx)
	defer stop()
	renew := time.NewTicker(renewUsed)
	defer renew.Stop()
	again := time.NewTicker(l.lookAgain)
	defer again.Stop()
	l.announce(ctx, l.first)
	defer func() {
		for _, s := range l.list() {
			s.stop()
		}
	}()
	var beside sync.WaitGroup
	beside.Go(func() { l.watchSkipped(ctx) })
	defer beside.Wait()
	for {
		changed := l.Vocabularies.Changed()
		more, err := l.step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		l.report(ctx, err)
		var next <-chan time.Time
		switch {
		case more:
			// By way of the select, so that what is in use is renewed while there is
			// work for minutes.
			next = time.After(0)
		case err != nil || l.faulty():
			next = time.After(time.Second/2 + rand.N(time.Second))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-next:
		case <-again.C:
			l.publishReferences(ctx, false)
		case <-l.asks.heard:
			l.asks.more = true
		case <-renew.C:
			l.Embeddings.renew(ctx, slices.Concat(slices.Collect(maps.Keys(l.known)), l.References))
			l.publishReferences(ctx, true)
		}
	}
}

// faulty is whether a vocabulary has to be tried again.
func (l *Live) faulty() bool {
	return slices.ContainsFunc(l.list(), func(s *served) bool { return s.faulty.Load() })
}

// step embeds a few texts of each edited vocabulary, then a few that others asked
// for, then a few reference texts, then a few base classes. more says that it should
// be called again at once.
func (l *Live) step(ctx context.Context) (more bool, err error) {
	if l.takeEdits(ctx) {
		return true, l.first.fault
	}
	asked := l.asks.serve(ctx)
	if l.first.seen == nil {
		return asked, l.first.fault
	}
	if more, err = l.embedReferences(ctx); !more && err == nil {
		l.isWhole.Do(func() { close(l.whole) })
		more, err = l.embedBases(ctx)
	}
	return more || asked && err == nil, cmp.Or(err, l.first.fault)
}

// report reports the result of the last step. A failure is logged when it begins
// and when it ends.
func (l *Live) report(ctx context.Context, err error) {
	if err == nil && l.Current() == nil {
		l.Reporter.Problem("embeddings", l.waits())
		return
	}
	l.Reporter.Problem("embeddings", err)
	switch {
	case err != nil && !l.failing && l.Current() == nil:
		l.Logger.WarnContext(ctx, "embeddings: no vocabulary is in force yet, so nothing is recognised", "error", err)
	case err != nil && !l.failing:
		l.Logger.WarnContext(ctx, "embeddings: the last vocabulary stays in force", "error", err)
	case err == nil && l.failing:
		l.Logger.InfoContext(ctx, "embeddings: up to date again")
	}
	l.failing = err != nil
}
