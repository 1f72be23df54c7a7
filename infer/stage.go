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

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
}

// Options of a Stage. All fields but the last four are required.
type Options struct {
	Bus      Bus
	Names    topics.Names
	Group    string
	Serving  Serving       // the first; the stage owns it once Run is called
	MaxBatch int           // clips in one run
	MaxWait  time.Duration // for a batch to fill
	MaxAge   time.Duration // of a clip's end when it is read; 0 keeps all
	TopK     int           // labels on a recognition

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
	case o.Bus == nil:
		return errors.New("infer: bus is required")
	case o.Logger == nil || o.Tracer == nil || o.Meter == nil || o.Propagator == nil:
		return errors.New("infer: logger, tracer, meter and propagator are required")
	case o.MaxBatch < 1 || o.TopK < 1:
		return fmt.Errorf("infer: max batch %d, top k %d: both must be at least 1", o.MaxBatch, o.TopK)
	}
	if err := o.Serving.check(); err != nil {
		return err
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
	dead    *bus.DeadLetters
	terms   *terms
	// order holds every clip read and not yet in a batch, as read: a partition's
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
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: o.Bus.Send, Topic: o.Names.Of(topics.DeadLetter), Stage: "infer", Logger: o.Logger, Meter: o.Meter,
	})
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	return &Stage{
		Options: o,
		metrics: m,
		dead:    dead,
		terms:   newTerms(o.Serving),
		// Two batches: one in the model, one being decoded.
		order:  make(chan *job, 2*o.MaxBatch),
		decode: make(chan *job, 2*o.MaxBatch),
	}, nil
}

// Run consumes until ctx ends, then finishes what was read, closes what serves
// and returns. It returns an error when Kafka refuses for good or the model
// breaks. It is called once.
func (s *Stage) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.terms.end()) }()
	if err := s.waitForVocabulary(ctx); err != nil {
		return nil //nolint:nilerr // stopped before there was anything to do
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

	var decoders []*media.ClipDecoder
	defer func() {
		for _, d := range decoders {
			d.Close()
		}
	}()
	frames := media.NewFrameCache(frameCacheBytes)
	for range s.Decoders {
		d, err := media.NewClipDecoder(frames)
		if err != nil {
			return fmt.Errorf("infer: %w", err)
		}
		decoders = append(decoders, d)
	}
	var g errgroup.Group
	for _, d := range decoders {
		g.Go(func() error { s.decodeLoop(work, d); return nil })
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
		err := s.Bus.Consume(consume, bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Clips), StartFirst: true}, s.partition(work, consume))
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
	for s.terms.now().Vocabulary.Current() == nil {
		s.OnHealth(errors.New("the vocabulary is not loaded yet"))
		if !pause.For(ctx, look) {
			return ctx.Err()
		}
	}
	s.OnHealth(nil)
	return nil
}
