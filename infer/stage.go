// Package infer turns clips into recognitions: it consumes the clips topic,
// decodes and crops in parallel, batches across cameras, runs the model once
// per batch, scores against the live vocabulary and publishes actions.
package infer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) error
}

// Model embeds clips. EmbedClips takes batch clips of packed uint8 RGB frames,
// [batch, frames, side, side, 3], and may keep nothing of them.
type Model interface {
	EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error)
	LogitScale() float32
	ID() string
}

// Vocabulary is the live vocabulary; Current is nil until the first is whole.
type Vocabulary interface {
	Current() *vocab.Matrix
}

// Options of a Stage. All fields but the last four are required.
type Options struct {
	Bus        Bus
	Names      topics.Names
	Group      string
	Model      Model
	Vocabulary Vocabulary
	Frames     int           // frames of one clip
	Side       int           // pixels of the model's square image
	MaxBatch   int           // clips in one run
	MaxWait    time.Duration // for a batch to fill
	MaxAge     time.Duration // of a clip's end when it is read; 0 keeps all
	TopK       int           // labels on a recognition

	Logger     *slog.Logger
	Tracer     trace.Tracer
	Meter      metric.Meter
	Propagator propagation.TextMapPropagator

	Decoders int              // goroutines that decode JPEG; 0: one per core
	Now      func() time.Time // nil: time.Now
	// OnHealth hears nil when the stage can work and the reason when it cannot.
	OnHealth func(error)
}

func (o *Options) check() error {
	switch {
	case o.Bus == nil || o.Model == nil || o.Vocabulary == nil:
		return errors.New("infer: bus, model and vocabulary are required")
	case o.Logger == nil || o.Tracer == nil || o.Meter == nil || o.Propagator == nil:
		return errors.New("infer: logger, tracer, meter and propagator are required")
	case o.Frames < 1 || o.Side < 1 || o.MaxBatch < 1 || o.TopK < 1:
		return fmt.Errorf("infer: frames %d, side %d, max batch %d, top k %d: all must be at least 1",
			o.Frames, o.Side, o.MaxBatch, o.TopK)
	}
	if o.Decoders == 0 {
		o.Decoders = runtime.GOMAXPROCS(0)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnHealth == nil {
		o.OnHealth = func(error) {}
	}
	return nil
}

// Stage is one infer worker.
type Stage struct {
	Options
	metrics metrics
	// order holds every clip read and not yet published, as read: a partition's
	// clips are published in the order of the partition. Bounded; a full queue
	// stops fetching.
	order chan *job
	// decode holds the same clips for whichever decoder is free.
	decode chan *job
}

// New checks the options; nothing runs before Run.
func New(o Options) (*Stage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Meter)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	return &Stage{
		Options: o,
		metrics: m,
		// Two batches: one in the model, one being decoded.
		order:  make(chan *job, 2*o.MaxBatch),
		decode: make(chan *job, 2*o.MaxBatch),
	}, nil
}

// Run consumes until ctx ends, then finishes what was read and returns. It
// returns an error when Kafka refuses for good or the model breaks.
func (s *Stage) Run(ctx context.Context) error {
	if err := s.waitForVocabulary(ctx); err != nil {
		return nil // stopped before there was anything to do
	}
	// The workers outlive ctx: they drain what was read before it ended. A
	// broken worker ends consuming through its own context.
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	consume, stopConsume := context.WithCancel(ctx)
	defer stopConsume()
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(drainTime, func() { cancel(errDrain) })
	})()

	var g errgroup.Group
	for range s.Decoders {
		g.Go(func() error { s.decodeLoop(work); return nil })
	}
	g.Go(func() error {
		err := s.batchLoop(work)
		if err != nil {
			cancel(err)
			stopConsume()
		}
		return err
	})
	g.Go(func() error {
		defer close(s.order)
		defer close(s.decode)
		err := s.Bus.Consume(consume, bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Clips), StartFirst: true}, s.partition(work))
		if err != nil && ctx.Err() == nil && work.Err() == nil {
			return fmt.Errorf("consume clips: %w", err)
		}
		return nil
	})
	if err := g.Wait(); ctx.Err() == nil {
		return err
	} else if err != nil {
		s.Logger.Warn("stopped before all was published; it will be read again", "error", err)
	}
	return nil
}

// errDrain ends the work that Kafka did not take in time when stopping.
var errDrain = errors.New("stopping took too long")

// waitForVocabulary blocks until there is something to score against: a clip
// scored against nothing would be acknowledged and lost.
func (s *Stage) waitForVocabulary(ctx context.Context) error {
	const look = 50 * time.Millisecond
	for s.Vocabulary.Current() == nil {
		s.OnHealth(errors.New("the vocabulary is not loaded yet"))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
	s.OnHealth(nil)
	return nil
}
