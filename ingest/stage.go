// Package ingest keeps cameras' streams open: it owns the cameras of its
// partitions of the cameras topic, connects, decodes, reconnects, publishes
// each stream's state, and hands decoded frames to a sink per camera.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
}

// Options of a Stage. All fields up to Meter are required.
type Options struct {
	Bus     Bus
	Names   topics.Names
	Group   string
	Worker  string // this process's name, on status records
	NewSink NewSink

	Transport     string   // "tcp" or "udp", for RTSP cameras that don't say
	Protocols     []string // URL schemes that a camera may use
	OpenTimeout   time.Duration
	ReadTimeout   time.Duration
	Watchdog      time.Duration // without a frame, the stream is opened anew
	DecodeThreads int           // of each camera
	Backoff       Backoff

	Logger *slog.Logger
	Meter  metric.Meter

	// RepeatFiles opens a recording again when it has ended. Else its camera
	// stops.
	RepeatFiles bool
	// FilesAtOnce reads recordings as fast as they decode instead of at their own
	// pace.
	FilesAtOnce bool
	// Getenv gives the values of ${NAME} in URLs. Whoever can write to the cameras
	// topic can have them sent to a host of their choice. nil: os.LookupEnv.
	Getenv func(string) (string, bool)
	Now    func() time.Time // nil: time.Now
}

func (o *Options) check() error {
	switch {
	case o.Bus == nil || o.NewSink == nil || o.Logger == nil || o.Meter == nil:
		return errors.New("ingest: bus, sinks, logger and meter are required")
	case o.Transport != "tcp" && o.Transport != "udp":
		return fmt.Errorf("ingest: transport %q: want tcp or udp", o.Transport)
	case o.OpenTimeout <= 0 || o.ReadTimeout <= 0 || o.Watchdog <= 0:
		return fmt.Errorf("ingest: open timeout %v, read timeout %v, watchdog %v: want more than 0", o.OpenTimeout, o.ReadTimeout, o.Watchdog)
	case o.DecodeThreads < 1 || o.DecodeThreads > 64:
		return fmt.Errorf("ingest: %d decode threads: want 1 to 64", o.DecodeThreads)
	case o.Backoff.Min <= 0 || o.Backoff.Max < o.Backoff.Min:
		return fmt.Errorf("ingest: backoff from %v to %v: want more than 0, rising", o.Backoff.Min, o.Backoff.Max)
	}
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Stage is one ingest worker.
type Stage struct {
	Options
	metrics metrics
	dead    *bus.DeadLetters
	board   *board
	live    *live
}

// New checks the options; nothing runs before Run.
func New(o Options) (*Stage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Meter)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: o.Bus.Send, Topic: o.Names.Of(topics.DeadLetter), Stage: "ingest", Logger: o.Logger, Meter: o.Meter,
	})
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	return &Stage{
		Options: o, metrics: m, dead: dead,
		board: newBoard(o.Names.Of(topics.Status), o.Bus.Send, o.Logger),
		live:  &live{all: map[*runner]bool{}},
	}, nil
}

// farewell bounds how long the last statuses may take.
const farewell = 2 * time.Second

// Run owns cameras until ctx ends, then stops them and says so. It returns an
// error only when Kafka refuses for good.
func (s *Stage) Run(ctx context.Context) error {
	unobserve, err := s.live.observe(s.Meter, s.metrics)
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	// The board outlives ctx, for the last statuses.
	posting, stopPosting := context.WithCancel(context.WithoutCancel(ctx))
	var posted sync.WaitGroup
	posted.Go(func() { s.board.run(posting) })
	group := bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Cameras), StartFirst: true}
	err = s.Bus.Consume(ctx, group, func(ctx context.Context, p *bus.Partition) error { return s.own(ctx, p) })
	stopPosting()
	posted.Wait()
	if err = errors.Join(err, unobserve()); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

// stopEach stops cameras at the same time, then waits until their statuses are
// out.
func (s *Stage) stopEach(all map[string]running) {
	if len(all) == 0 {
		return
	}
	var done sync.WaitGroup
	for _, r := range all {
		done.Go(func() { r.stop("its worker has given it up") })
	}
	done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.board.flush(ctx)
}
