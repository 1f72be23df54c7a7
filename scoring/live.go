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

// LiveOptions are all required but BaseClasses, References, Reporter and OnEdit.
type LiveOptions struct {
	Watcher     *vocab.Watcher // run by the caller
	Embeddings  *Embeddings
	BaseClasses []string // what the model was trained on
	// References are the texts that contrasts are taken against, at least 2. Nothing
	// is served before they are embedded. Empty: labels have no contrast.
	References []string
	Logger     *slog.Logger
	Meter      metric.Meter
	// Reporter gets problems of the part "embeddings": why the newest vocabulary is
	// not in force. Its warnings `label "NAME"` say why a label is skipped. nil:
	// telemetry.Quiet.
	Reporter telemetry.Reporter
	// OnEdit is called with the changes of each edit once it is in force, but not
	// for the first vocabulary. It must return at once.
	OnEdit func([]vocab.Change)
}

// Live keeps a Matrix up to date with a vocabulary.
type Live struct {
	LiveOptions
	current  atomic.Pointer[Matrix]
	ready    chan struct{}
	isReady  sync.Once
	labels   metric.Int64Gauge
	skipped  metric.Int64Gauge
	changes  metric.Int64Counter
	warnings warnings

	// Used by Run only. The same goes for the methods of announcer except run.
	announcer *announcer
	seen      *vocab.Vocabulary // the Watcher's vocabulary that current was made of
	usable    vocab.Vocabulary  // seen without the labels that can't be embedded
	known     known
	twins     twins
	refs      *References // nil until all reference texts are embedded
	refsPass  *pass       // embeds them; nil before the first
	bases     bases
	basesPass *pass // embeds the base classes; nil before the first of them
	basesDone bool  // all base classes are embedded
	asks      *asks
	failing   bool   // the last step failed
	begun     string // the version that was last logged as taking a while
}

// NewLive checks the options; nothing is embedded before Run.
func NewLive(o LiveOptions) (*Live, error) {
	if o.Watcher == nil || o.Embeddings == nil || o.Logger == nil || o.Meter == nil {
		return nil, errors.New("scoring: watcher, embeddings, logger and meter are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	l := &Live{
		LiveOptions: o, ready: make(chan struct{}), announcer: newAnnouncer(o),
		known: known{}, bases: newBases(o.BaseClasses), asks: o.Embeddings.newAsks(),
	}
	in := telemetry.Instruments{Meter: o.Meter}
	l.labels = in.Gauge("frostwatch.vocabulary.labels", "labels in force")
	l.skipped = in.Gauge("frostwatch.vocabulary.skipped", "labels in Redis that can't be used")
	l.changes = in.Counter("frostwatch.vocabulary.changes", "vocabularies that came into force, the first included")
	return l, in.Err()
}

// Current is the newest vocabulary that is completely embedded, nil until Ready
// is closed.
func (l *Live) Current() *Matrix { return l.current.Load() }

// Ready is closed once there is something to score against.
func (l *Live) Ready() <-chan struct{} { return l.ready }

// Run embeds the Watcher's vocabularies until ctx ends, and in between the texts
// that other processes ask for. When the model fails it tries again after about a
// second. It always returns nil.
func (l *Live) Run(ctx context.Context) error {
	stop := l.asks.listen(ctx)
	defer stop()
	renew := time.NewTicker(renewUsed)
	defer renew.Stop()
	var beside sync.WaitGroup
	beside.Go(func() { l.announcer.run(ctx) })
	beside.Go(func() { l.watchSkipped(ctx) })
	defer beside.Wait()
	for {
		v, changed := l.Watcher.Current()
		more, err := l.step(ctx, v)
		if ctx.Err() != nil {
			return nil
		}
		l.report(ctx, err)
		var again <-chan time.Time
		switch {
		case err != nil:
			again = time.After(time.Second/2 + rand.N(time.Second))
		case more:
			// By way of the select, so that what is in use is renewed while there is
			// work for minutes.
			again = time.After(0)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-again:
		case <-l.asks.heard:
			l.asks.more = true
		case <-renew.C:
			l.Embeddings.renew(ctx, slices.Concat(slices.Collect(maps.Keys(l.known)), l.References))
			l.publishReferences(ctx)
		}
	}
}

// step puts an edited vocabulary in force, then embeds a few texts that others
// asked for, then a few reference texts, then a few base classes. more says that it
// should be called again at once.
func (l *Live) step(ctx context.Context, v *vocab.Vocabulary) (more bool, err error) {
	if v != nil && v != l.seen {
		whole, err := l.take(ctx, v)
		if err != nil || !whole {
			return err == nil, err
		}
		l.seen = v
	}
	asked := l.asks.serve(ctx)
	if l.seen == nil {
		return asked, nil
	}
	if more, err = l.embedReferences(ctx); !more && err == nil {
		more, err = l.embedBases(ctx)
	}
	return more || asked && err == nil, err
}

// take embeds the new texts of v and makes v current. It gives up and returns
// false when the Watcher has a newer vocabulary before all are embedded.
func (l *Live) take(ctx context.Context, v *vocab.Vocabulary) (whole bool, err error) {
	var texts []string
	for _, label := range v.Labels {
		texts = append(texts, label.Read()...)
	}
	fresh := l.known.unknown(texts)
	p, err := l.embed(ctx, v, fresh)
	if err != nil || !p.whole() {
		return false, err
	}
	l.refused(ctx, p.refused)
	usable := without(*v, p.refused)
	if len(v.Labels) > 0 && len(usable.Labels) == 0 {
		return false, fmt.Errorf("none of the %d labels of vocabulary %s can be embedded; what is wrong with the first: %w", len(v.Labels), v.Name, usable.Problems[len(v.Problems)].Err)
	}
	before := l.usable
	l.usable = usable
	l.serve()
	l.known.keep(texts, l.BaseClasses)
	l.confirm(ctx, before)
	if l.seen == nil {
		l.Embeddings.renew(ctx, fresh)
	} else {
		l.Embeddings.keepUsed(ctx, fresh)
	}
	return true, nil
}

// embed embeds the texts that are new in v, and announces how far it is. It gives
// up when the Watcher has a newer vocabulary.
func (l *Live) embed(ctx context.Context, v *vocab.Vocabulary, fresh []string) (p *pass, err error) {
	p = l.Embeddings.begin(ctx, fresh)
	if len(p.missing) > maxChunk && l.begun != v.Version {
		l.begun = v.Version
		l.Logger.InfoContext(ctx, "vocabulary: many new texts are being embedded, it comes into force after that", "version", v.Version, "texts", len(p.missing))
	}
	for newest := v; !p.whole() && err == nil && newest == v; newest, _ = l.Watcher.Current() {
		l.announcer.pending(&vocab.Pending{Version: v.Version, Embedded: len(fresh) - len(p.missing), Texts: len(fresh)})
		err = p.next(ctx)
	}
	l.known.add(p.vectors)
	if p.whole() {
		l.announcer.pending(nil)
	}
	return p, err
}

// without is the vocabulary without the labels that have a refused text; these
// are added to its problems.
func without(v vocab.Vocabulary, refused map[string]error) vocab.Vocabulary {
	if len(refused) == 0 {
		return v
	}
	kept := v.Labels[:0:0]
	problems := slices.Clone(v.Problems)
	for _, l := range v.Labels {
		texts := l.Read()
		if bad := slices.IndexFunc(texts, func(t string) bool { return refused[t] != nil }); bad >= 0 {
			problems = append(problems, vocab.Problem{Label: l.Name, Err: refused[texts[bad]]})
			continue
		}
		kept = append(kept, l)
	}
	v.Labels, v.Problems = kept, problems
	return v
}

// serve makes a matrix of the newest vocabulary and makes it current, unless its
// labels would have no contrast yet.
func (l *Live) serve() {
	if len(l.References) > 0 && l.refs == nil {
		return
	}
	m := assemble(l.usable, l.known, l.bases, l.refs)
	l.twins.join(m, l.known)
	l.current.Store(m)
	l.announcer.inForce(l.usable)
	l.isReady.Do(func() { close(l.ready) })
}

// embedReferences embeds the next few reference texts; more says whether any are
// left.
func (l *Live) embedReferences(ctx context.Context) (more bool, err error) {
	switch {
	case len(l.References) == 0 || l.refs != nil:
		return false, nil
	case l.refsPass == nil:
		l.refsPass = l.Embeddings.begin(ctx, l.References)
		if n := len(l.refsPass.missing); n > 0 {
			l.Logger.InfoContext(ctx, "reference texts are being embedded, clips are scored after that", "texts", n)
		}
		return true, nil // so that it is reported
	}
	if !l.refsPass.whole() {
		if err := l.refsPass.next(ctx); err != nil {
			return false, fmt.Errorf("reference texts: %w", err)
		}
		return true, nil
	}
	if l.refs, err = NewReferences(l.References, l.refsPass.vectors); err != nil {
		return false, err
	}
	l.Embeddings.keepUsed(ctx, l.References)
	l.publishReferences(ctx)
	l.serve()
	return false, nil
}

// publishReferences stores the reference texts in Redis. It is repeated with the
// renewal of what is in use.
func (l *Live) publishReferences(ctx context.Context) {
	if l.refs == nil {
		return
	}
	if err := publishReferences(ctx, l.Embeddings.Client, l.Embeddings.Prefix, l.refs); err != nil && ctx.Err() == nil {
		l.Logger.DebugContext(ctx, "embeddings: other processes can't score the past yet", "error", err)
	}
}

// waits is why nothing is served yet.
func (l *Live) waits() error {
	if p := l.refsPass; p != nil && l.refs == nil {
		return fmt.Errorf("reference texts are being embedded: %d of %d are left", len(p.missing), len(l.References))
	}
	return errors.New("no vocabulary is embedded yet")
}

// embedBases embeds the next few base classes; more says whether any are left. It
// takes only a few at a time because an edit has to wait for its end. Labels get
// their nearest base class when all are embedded.
func (l *Live) embedBases(ctx context.Context) (more bool, err error) {
	switch {
	case len(l.BaseClasses) == 0 || l.basesDone:
		return false, nil
	case l.basesPass == nil:
		l.basesPass = l.Embeddings.begin(ctx, l.BaseClasses)
	}
	if !l.basesPass.whole() {
		if err := l.basesPass.next(ctx); err != nil {
			return false, fmt.Errorf("base classes: %w", err)
		}
	}
	if !l.basesPass.whole() {
		return true, nil
	}
	l.known.add(l.basesPass.vectors)
	l.bases, l.basesDone = l.bases.embedded(l.BaseClasses, l.basesPass.vectors), true
	l.serve()
	l.Embeddings.keepUsed(ctx, l.BaseClasses)
	return false, nil
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
