package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/vocab"
)

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
