// Package infer turns clips into recognitions. It consumes the clips topic,
// decodes and crops in parallel, batches clips across cameras, runs the model once
// per batch, scores the results against the live vocabulary, and publishes them on
// the actions topic.
//
// A clip passes through lease.read, decodeLoop, batchLoop (collect, recognise) and
// lease.publish.
package infer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka, apart from the partitions that Consume
// passes to its handler.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Age(m bus.Message) time.Duration
}

// Options of a Stage. All fields up to Propagator but QuietEvery are required.
type Options struct {
	Bus      Bus
	Names    topics.Names
	Group    string        // of consumers
	First    Recogniser    // Run takes it over and closes it
	MaxBatch int           // squares in one run of the model at most; fewer where they take long
	MaxWait  time.Duration // how long to wait for a batch to fill
	MaxAge   time.Duration // of clips, by the broker's clock; older ones are skipped; 0: none is
	TopK     int           // labels in a recognition

	// QuietEvery is of how many clips in a row in which nothing happens the model sees one;
	// 0: it sees each.
	QuietEvery int

	Logger     *slog.Logger
	Tracer     trace.Tracer
	Meter      metric.Meter
	Propagator propagation.TextMapPropagator

	// Watched is the table of the labels that rules name. nil: only the TopK best
	// labels are listed.
	Watched *bus.Table
	// VocabularyOf names the vocabulary of a camera; empty: the default one. nil: a
	// camera has the one that its clips name. Only name, tags and vocabulary are set.
	VocabularyOf func(topics.Camera) string
	Decoders     int              // goroutines that decode JPEG; 0: one per core
	Now          func() time.Time // nil: time.Now
	// Reporter gets a check of the part "infer", warnings of the part "falling
	// behind", and a description of the stage "infer". nil: telemetry.Quiet.
	Reporter telemetry.Reporter
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
	if err := o.First.check(); err != nil {
		return err
	}
	if o.Decoders == 0 {
		o.Decoders = runtime.GOMAXPROCS(0)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	return nil
}

// leastRoom is how many bytes of records the stage may hold, also with a small
// MaxBatch: sixteen records of the largest size.
const leastRoom = 64 << 20

// Stage is one infer worker.
type Stage struct {
	Options
	metrics  metrics
	services *services
	watched  *watched
	sunk     *sunk
	backlog  *backlog
	quiet    *quiet
	pace     pace
	waiting  atomic.Bool // until there is a first vocabulary
	// order holds the clips that were read and are not in a batch yet, in the order
	// in which they were read. Reading blocks while it is full.
	order chan *clip
	// decode holds the same clips, for whichever decoder is free.
	decode chan *clip
	// room bounds the bytes of all records in the stage; roomBytes is the bound.
	room      *semaphore.Weighted
	roomBytes int64
}

// New checks the options; nothing runs before Run.
func New(o Options) (*Stage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Meter)
	if err != nil {
		return nil, err
	}
	room := max(leastRoom, int64(o.MaxBatch)<<20)
	s := &Stage{
		Options:  o,
		metrics:  m,
		services: newServices(o.First),
		watched:  newWatched(),
		sunk:     newSunk(o.Reporter),
		quiet:    newQuiet(o.QuietEvery),
		pace:     newPace(o.MaxBatch),
		backlog: &backlog{
			log: o.Logger, now: o.Now, maxAge: o.MaxAge, feeds: map[*feed]bool{},
			report: func(err error) { o.Reporter.Warning("falling behind", err) },
		},
		// Two batches: one in the model, one being decoded.
		order:  make(chan *clip, 2*o.MaxBatch),
		decode: make(chan *clip, 2*o.MaxBatch),
		room:   semaphore.NewWeighted(room), roomBytes: room,
	}
	s.waiting.Store(true)
	o.Reporter.Check("infer", s.ready)
	o.Reporter.Describe(s.describe)
	return s, nil
}

// ready is why the stage is not ready, or nil.
func (s *Stage) ready() error {
	if s.waiting.Load() {
		return errors.New("the vocabulary is not loaded yet")
	}
	return s.backlog.check()
}

// describe adds the stage to the worker's record.
func (s *Stage) describe(w *topics.Worker) {
	stage := topics.WorkerStage{Group: s.Group}
	s.backlog.describe(&stage)
	if w.Stages == nil {
		w.Stages = map[string]topics.WorkerStage{}
	}
	w.Stages["infer"] = stage
	serving := s.services.inService()
	w.Model = serving.Model.ID()
	for i, m := range serving.Vocabulary.All() {
		if ref := (topics.VocabRef{Name: m.Name, Version: m.Version}); i == 0 {
			w.Vocab = ref
		} else {
			w.Further = append(w.Further, ref)
		}
	}
}
