package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/scoring"
)

// Model embeds clips. EmbedClips takes packed uint8 RGB frames, [batch, frames,
// side, side, 3], and must not keep them after it returns.
type Model interface {
	EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error)
	LogitScale() float32
	ID() string
}

// FrameModel embeds single frames: packed uint8 RGB, [n, side, side, 3], which it must not
// keep, to [n, dim] of unit length. A frame's embedding does not depend on what it is
// embedded with.
type FrameModel interface {
	EmbedFrames(ctx context.Context, frames []byte, n int) ([]float32, error)
}

// LiveVocabulary are vocabularies that change while they are in use.
type LiveVocabulary interface {
	// Current is the default vocabulary. It returns nil until Ready is closed, and
	// never afterwards.
	Current() *scoring.Matrix
	Ready() <-chan struct{}
	// Of is any vocabulary, by its name. One that has just come into use is waited for
	// until ctx ends. nil: there is nothing to score against.
	Of(ctx context.Context, name string) *scoring.Matrix
	// All are those in use, the default one first.
	All() []*scoring.Matrix
}

// Recogniser is a model with the vocabularies that its clips are scored against. All
// fields but EachFrame are required.
type Recogniser struct {
	Model Model
	// EachFrame is the model again if its frames don't see one another: then a frame that
	// several clips contain is embedded once, and a clip is the mean of its frames. nil: the
	// model embeds whole clips.
	EachFrame  FrameModel
	Vocabulary LiveVocabulary
	Frames     int           // frames of one clip
	Side       int           // of the model's square picture, pixels
	Resize     pixels.Resize // how the model's own preprocessing makes it
	// Close frees the model and stops its vocabulary. It is called once, when no
	// clip needs them any more.
	Close func() error
}

func (r Recogniser) check() error {
	switch {
	case r.Model == nil || r.Vocabulary == nil || r.Close == nil:
		return errors.New("infer: model, vocabulary and close are required")
	case r.Frames < 1 || r.Side < 1:
		return fmt.Errorf("infer: frames %d, side %d: both must be at least 1", r.Frames, r.Side)
	}
	return nil
}

// service is a recogniser in use: from when it is put in service until the last
// clip bound to it is finished.
type service struct {
	Recogniser
	once    sync.Once
	err     error         // of Close
	idle    chan struct{} // closed when it has been replaced and no clip is bound to it
	vectors *vectors      // of a framewise model
	// awaited are the vocabularies that were waited for, maxAwaited at most; for
	// batchLoop alone.
	awaited map[string]bool

	// Guarded by services.mu.
	clips    int  // bound to it
	replaced bool // by another service
}

func newService(r Recogniser) *service {
	return &service{Recogniser: r, idle: make(chan struct{}), awaited: map[string]bool{}, vectors: newVectors(vectorBytes, time.Now)}
}

// pictureBytes is the size of what the model sees of a clip in one view.
func (s *service) pictureBytes() int { return s.Frames * s.Side * s.Side * 3 }

func (s *service) close() error {
	s.once.Do(func() { s.err = s.Close() })
	return s.err
}

// services are the service that new clips are bound to and earlier ones to which
// clips are still bound.
type services struct {
	mu      sync.Mutex
	newest  *service
	open    map[*service]bool // not closed yet; nil after stop
	stopped chan struct{}     // closed by stop, under mu
}

func newServices(first Recogniser) *services {
	s := newService(first)
	return &services{newest: s, open: map[*service]bool{s: true}, stopped: make(chan struct{})}
}

func (s *services) inService() *service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// bind binds a new clip to the newest service; release ends that.
func (s *services) bind() *service {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest.clips++
	return s.newest
}

func (s *services) release(of *service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of.clips--
	if of.replaced && of.clips == 0 {
		close(of.idle)
	}
}

// replace puts next in service and returns the one before; ok is false if the
// stage has ended.
func (s *services) replace(next *service) (old *service, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil, false
	}
	old, s.newest = s.newest, next
	s.open[next] = true
	old.replaced = true
	if old.clips == 0 {
		close(old.idle)
	}
	return old, true
}

// forget leaves closing a service to the caller.
func (s *services) forget(old *service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, old)
}

// stop closes all services that are left. Nothing may use them any more.
func (s *services) stop() error {
	s.mu.Lock()
	close(s.stopped)
	open := s.open
	s.open = nil
	s.mu.Unlock()
	var errs []error
	for one := range open {
		errs = append(errs, one.close())
	}
	return errors.Join(errs...)
}
