package scoring

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/vocab"
)

// served is one vocabulary, as Live serves it.
type served struct {
	watcher  *vocab.Watcher
	further  bool // one beside the default one
	current  atomic.Pointer[Matrix]
	faulty   atomic.Bool // there is a fault
	warnings warnings

	announcer *announcer
	stop      func() // ends the announcer

	// Used by Run only. The same goes for the methods of announcer except run.
	seen   *vocab.Vocabulary // the Watcher's vocabulary that current was made of
	usable vocab.Vocabulary  // seen without the labels that can't be embedded
	texts  []string          // of seen
	twins  twins
	next   *coming           // nil: nothing is being embedded
	begun  string            // the version that was last logged as taking a while
	fault  error             // why the newest is not in force
	bad    *vocab.Vocabulary // the one that has the fault
	retry  time.Time         // when to try it again
}

// coming is a vocabulary whose texts are being embedded.
type coming struct {
	of           *vocab.Vocabulary
	texts, fresh []string // all of its texts, and those that were new
	pass         *pass
}

// of distinguishes reports about a further vocabulary from those about the default.
func (s *served) of() string {
	if s.further {
		return " of vocabulary " + s.watcher.Name
	}
	return ""
}

// attribute names the vocabulary in metrics.
func (s *served) attribute() metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("vocabulary", s.watcher.Name))
}

// failed notes why the newest vocabulary is not in force, nil for none.
func (s *served) failed(v *vocab.Vocabulary, err error) {
	s.fault, s.bad = err, v
	s.faulty.Store(err != nil)
	if err != nil {
		s.retry = time.Now().Add(time.Second/2 + rand.N(time.Second))
	}
}

// open begins to serve a vocabulary. The caller is Run, or nothing runs yet.
func (l *Live) open(w *vocab.Watcher) *served {
	s := &served{watcher: w, further: w != l.Vocabularies.Default(), stop: func() {}}
	s.announcer = newAnnouncer(l.LiveOptions, w.Name, s.of())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[w.Name] = s
	return s
}

// announce starts the vocabulary's announcer.
func (l *Live) announce(ctx context.Context, s *served) {
	own, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.announcer.run(own) })
	s.stop = func() { cancel(); running.Wait() }
}

// close ends what open has begun.
func (l *Live) close(ctx context.Context, s *served) {
	s.stop()
	l.mu.Lock()
	delete(l.all, s.watcher.Name)
	l.mu.Unlock()
	l.withdraw(ctx, s)
	l.labels.Record(ctx, 0, s.attribute())
	l.Reporter.Warning("embeddings"+s.of(), nil)
	l.Reporter.Warning("announcements"+s.of(), nil)
	l.tell()
}

// sync opens the vocabularies that have come into use, closes those that are out of
// use, and returns all, the default one first.
func (l *Live) sync(ctx context.Context) []*served {
	var out []*served
	there := map[*served]bool{}
	for _, w := range l.Vocabularies.All() {
		s := l.servedAs(w.Name)
		if s != nil && s.watcher != w { // it was out of use in between
			l.close(ctx, s)
			s = nil
		}
		if s == nil {
			s = l.open(w)
			l.announce(ctx, s)
			l.warnSkipped(ctx, s)
		}
		out, there[s] = append(out, s), true
	}
	for _, s := range l.list() {
		if !there[s] {
			l.close(ctx, s)
			l.keepTexts(out)
		}
	}
	return out
}

func (l *Live) servedAs(name string) *served {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[name]
}

func (l *Live) list() (out []*served) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.all {
		out = append(out, s)
	}
	return out
}

// keepTexts deletes the embeddings of texts that no vocabulary uses.
func (l *Live) keepTexts(all []*served) {
	texts := [][]string{l.BaseClasses}
	for _, s := range all {
		texts = append(texts, s.texts)
		if s.next != nil {
			texts = append(texts, s.next.texts)
		}
	}
	l.known.keep(texts...)
}

// news is closed when a vocabulary has come into force, or can't.
func (l *Live) news() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *Live) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Of returns a vocabulary by its name; an empty name means the default one. If it has
// just come into use, Of waits until it is embedded, or ctx ends. It returns nil
// where there is nothing to score against: it is not embedded yet, it has no labels in
// Redis, or none that can be used. Whoever needs a further vocabulary goes on asking
// for it (vocab.Watchers).
func (l *Live) Of(ctx context.Context, name string) *Matrix {
	for {
		edited, served := l.Vocabularies.Changed(), l.news()
		w, err := l.Vocabularies.Of(name)
		if err != nil {
			l.Reporter.Incident("vocabularies", err)
			return nil
		}
		s := l.servedAs(w.Name)
		if s != nil && s.watcher == w {
			if m := s.current.Load(); m != nil || s.faulty.Load() {
				return m
			}
		}
		if current, _ := w.Current(); current == nil && w.Read() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-edited:
		case <-served:
		}
	}
}

// All are the vocabularies that are in use, the default one first: none before Ready is
// closed. One that there is nothing of to score against has no version.
func (l *Live) All() []*Matrix {
	first := l.Current()
	if first == nil {
		return nil
	}
	out := []*Matrix{first}
	for _, s := range l.list() {
		switch m := s.current.Load(); {
		case !s.further:
		case m == nil:
			out = append(out, &Matrix{Name: s.watcher.Name})
		default:
			out = append(out, m)
		}
	}
	slices.SortFunc(out[1:], func(a, b *Matrix) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
