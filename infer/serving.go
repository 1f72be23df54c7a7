package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
)

// Model embeds clips. EmbedClips takes batch clips of packed uint8 RGB frames,
// [batch, frames, side, side, 3], and may keep nothing of them.
type Model interface {
	EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error)
	LogitScale() float32
	ID() string
}

// Vocabulary is the live vocabulary; Current is nil until the first is whole.
type Vocabulary interface {
	Current() *scoring.Matrix
}

// Serving is a model with what its clips are scored against. All fields are
// required.
type Serving struct {
	Model      Model
	Vocabulary Vocabulary
	Frames     int // frames of one clip
	Side       int // pixels of the model's square image
	// Close frees the model and stops its vocabulary. It is called once, when no
	// clip is bound to them any more, and not during a run.
	Close func() error
}

func (v Serving) check() error {
	switch {
	case v.Model == nil || v.Vocabulary == nil || v.Close == nil:
		return errors.New("infer: model, vocabulary and close are required")
	case v.Frames < 1 || v.Side < 1:
		return fmt.Errorf("infer: frames %d, side %d: both must be at least 1", v.Frames, v.Side)
	}
	return nil
}

// term is the time of a serving in the stage, from its taking over until the
// last clip bound to it is done with.
type term struct {
	Serving
	once sync.Once
	err  error         // of Close
	idle chan struct{} // closed when it has been replaced and no clip is left

	// Guarded by terms.mu.
	clips    int
	replaced bool
}

func newTerm(v Serving) *term { return &term{Serving: v, idle: make(chan struct{})} }

func (t *term) close() error {
	t.once.Do(func() { t.err = t.Close() })
	return t.err
}

// terms are the serving that new clips are bound to and those that still have
// clips.
type terms struct {
	mu      sync.Mutex
	current *term
	open    map[*term]bool
	ended   chan struct{} // closed at the end, under mu
}

func newTerms(first Serving) *terms {
	t := newTerm(first)
	return &terms{current: t, open: map[*term]bool{t: true}, ended: make(chan struct{})}
}

func (s *terms) now() *term {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// bind counts a clip on the current serving, until it is released.
func (s *terms) bind() *term {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.clips++
	return s.current
}

func (s *terms) release(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.clips--
	if t.replaced && t.clips == 0 {
		close(t.idle)
	}
}

// replace makes next current and returns the one before; false when the stage
// has ended.
func (s *terms) replace(next *term) (old *term, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil, false
	}
	old, s.current = s.current, next
	s.open[next] = true
	old.replaced = true
	if old.clips == 0 {
		close(old.idle)
	}
	return old, true
}

func (s *terms) forget(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
}

// end closes what is left, once nothing uses it.
func (s *terms) end() error {
	s.mu.Lock()
	close(s.ended)
	open := s.open
	s.open = nil
	s.mu.Unlock()
	var errs []error
	for t := range open {
		errs = append(errs, t.close())
	}
	return errors.Join(errs...)
}

// errEnded is the answer to a swap in a stage that has ended.
var errEnded = errors.New("swap the model: infer has ended")

// Swap puts next in service: clips read from now on are its, those read before
// are finished by the serving they were read for, whose recognitions bear its
// model id and vocabulary. It returns when the serving before has been closed,
// or ctx ends; the stage then closes it at its own end. The stage owns next from
// here on, also when Swap fails. Its vocabulary must be there.
func (s *Stage) Swap(ctx context.Context, next Serving) error {
	if err := next.check(); err != nil {
		return err
	}
	if next.Vocabulary.Current() == nil {
		return errors.Join(errors.New("swap the model: its vocabulary is not loaded yet"), next.Close())
	}
	t := newTerm(next)
	old, ok := s.terms.replace(t)
	if !ok {
		return errors.Join(errEnded, t.close())
	}
	s.metrics.swaps.Add(ctx, 1)
	s.Logger.InfoContext(ctx, "model in service", "model", next.Model.ID(), "before", old.Model.ID())
	select {
	case <-old.idle:
	case <-s.terms.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	s.terms.forget(old)
	if err := old.close(); err != nil {
		return fmt.Errorf("close model %s: %w", old.Model.ID(), err)
	}
	return nil
}
