package scoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// `label "NAME"` say why a label is skipped. nil: telemetry.Quiet.
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
		known: known{}, bases: newBases(o.BaseClasses), asks: o.Embeddings.newAsks(),
	}
	in := telemetry.Instruments{Meter: o.Meter}
	l.labels = in.Gauge("frostwatch.vocabulary.labels", "labels in force, by vocabulary")
	l.skipped = in.Gauge("frostwatch.vocabulary.skipped", "labels in Redis that can't be used, by vocabulary")
	l.changes = in.CounterBy("frostwatch.vocabulary.changes", "contents that came into force, the first included, by vocabulary")
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
		var again <-chan time.Time
		switch {
		case more:
			// By way of the select, so that what is in use is renewed while there is
			// work for minutes.
			again = time.After(0)
		case err != nil || l.faulty():
			again = time.After(time.Second/2 + rand.N(time.Second))
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

// takeEdits embeds a few texts of each edited vocabulary, and puts in force those that
// are complete; more says whether texts are left. So a small edit of one does not wait
// for a large one of another.
func (l *Live) takeEdits(ctx context.Context) (more bool) {
	all := l.sync(ctx)
	for _, s := range all {
		v, _ := s.watcher.Current()
		switch {
		case v == nil || v == s.seen:
			if s.next != nil { // the edit was taken back before it was embedded
				s.next = nil
				s.announcer.pending(nil)
			}
			l.fail(ctx, s, v, nil)
			continue
		case s.fault != nil && s.bad == v && time.Now().Before(s.retry):
			continue
		}
		whole, err := l.take(ctx, s, v)
		if ctx.Err() != nil {
			return false
		}
		l.fail(ctx, s, v, err)
		switch {
		case err != nil:
		case whole:
			s.seen = v
			l.keepTexts(all)
		default:
			more = true
		}
	}
	return more
}

// fail notes and reports why the newest content of a vocabulary is not in force, nil
// for none. What is wrong with the default one is reported by report.
func (l *Live) fail(ctx context.Context, s *served, v *vocab.Vocabulary, err error) {
	if err != nil || s.fault != nil {
		if began := s.fault == nil; began && s.further {
			l.Logger.WarnContext(ctx, "embeddings"+s.of()+": its newest content is not in force", "error", err)
		}
		s.failed(v, err)
		l.tell()
	}
	if s.further {
		l.Reporter.Warning("embeddings"+s.of(), err)
	}
}

// take embeds the next few of the new texts of v, and makes v current once all are
// embedded.
func (l *Live) take(ctx context.Context, s *served, v *vocab.Vocabulary) (whole bool, err error) {
	if s.next == nil || s.next.of != v {
		l.begin(ctx, s, v)
	}
	next := s.next
	if err := l.embed(ctx, s); err != nil || !next.pass.whole() {
		return false, err
	}
	l.refused(ctx, s, next.pass.refused)
	usable := without(*v, next.pass.refused)
	if len(v.Labels) > 0 && len(usable.Labels) == 0 {
		s.next = nil // so that the model is asked again
		return false, fmt.Errorf("none of the %d labels of vocabulary %s can be embedded; what is wrong with the first: %w", len(v.Labels), v.Name, usable.Problems[len(v.Problems)].Err)
	}
	before := s.usable
	s.usable, s.texts, s.next = usable, next.texts, nil
	l.serve(s)
	l.confirm(ctx, s, before)
	if s.seen == nil {
		l.Embeddings.renew(ctx, next.fresh)
	} else {
		l.Embeddings.keepUsed(ctx, next.fresh)
	}
	return true, nil
}

// begin looks up what is known of the texts of v.
func (l *Live) begin(ctx context.Context, s *served, v *vocab.Vocabulary) {
	if s.next != nil { // an older version was not complete yet
		l.known.add(s.next.pass.vectors)
	}
	next := &coming{of: v}
	for _, label := range v.Labels {
		next.texts = append(next.texts, label.Read()...)
	}
	next.fresh = l.known.unknown(next.texts)
	next.pass = l.Embeddings.begin(ctx, next.fresh)
	s.next = next
	if n := len(next.pass.missing); n > maxChunk && s.begun != v.Version {
		s.begun = v.Version
		l.Logger.InfoContext(ctx, "vocabulary: many new texts are being embedded, it comes into force after that", "vocabulary", v.Name, "version", v.Version, "texts", n)
	}
}

// embed embeds the next few texts of what is coming, and announces how far it is.
func (l *Live) embed(ctx context.Context, s *served) error {
	next := s.next
	if !next.pass.whole() {
		s.announcer.pending(&vocab.Pending{Version: next.of.Version, Embedded: len(next.fresh) - len(next.pass.missing), Texts: len(next.fresh)})
		if err := next.pass.next(ctx); err != nil {
			return err
		}
	}
	if next.pass.whole() {
		l.known.add(next.pass.vectors)
		s.announcer.pending(nil)
	}
	return nil
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

// serve makes a matrix of the newest content and makes it current, unless its labels
// would have no contrast yet.
func (l *Live) serve(s *served) {
	if len(l.References) > 0 && l.refs == nil || s.usable.Name == "" {
		return
	}
	m := assemble(s.usable, l.known, l.bases, l.refs)
	s.twins.join(m, l.known)
	s.current.Store(m)
	s.announcer.inForce(s.usable)
	if !s.further {
		l.isReady.Do(func() { close(l.ready) })
	}
	l.tell()
}

// serveAll is serve for all vocabularies.
func (l *Live) serveAll() {
	for _, s := range l.list() {
		l.serve(s)
	}
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
	l.serveAll()
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
	l.serveAll()
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
