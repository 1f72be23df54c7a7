// Package ingest keeps cameras' streams open: it holds the cameras of its
// partitions of the cameras topic, connects, decodes, reconnects, publishes
// each stream's state, and hands decoded frames to a sink per camera.
package ingest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
	Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(bus.Message) error) error
	PartitionOf(ctx context.Context, topic string, key []byte) (int, error)
}

// Options of a Stage. All fields up to Meter are required.
type Options struct {
	Bus     Bus
	Names   topics.Names
	Group   string
	Worker  string // this process's name, on status records
	NewSink NewSink

	Window time.Duration // of a clip, where the camera doesn't say
	Stride topics.Stride // between clips, where the camera doesn't say

	Transport     string   // "tcp" or "udp", for RTSP cameras that don't say
	Protocols     []string // URL schemes that a camera may use
	OpenTimeout   time.Duration
	ReadTimeout   time.Duration
	Watchdog      time.Duration // without a frame, the stream is opened anew
	DecodeThreads int           // of each camera
	Backoff       Backoff

	Logger *slog.Logger
	Meter  metric.Meter

	// AnyCertificate takes any certificate of cameras that don't say what theirs must be.
	AnyCertificate bool
	// Authorities are those that sign cameras' certificates; nil: the system's.
	Authorities *x509.CertPool
	// Trust is what cameras may ask of this worker. The zero value trusts nothing.
	Trust Trust
	// Reporter gets the state of the stage and of its cameras; nil: nobody does.
	Reporter telemetry.Reporter
	// Decode is which pictures are decoded, where the camera doesn't say; empty: all.
	Decode topics.Decode
	// Readers says by which processes cameras are read; nil: by this one.
	Readers *Readers
	// Turns bound how many cameras that begin decode everything at a time, of those that
	// are decoded on demand; nil: DefaultTurns.
	Turns *media.Turns
	// Films says how films of alerts are made; nil: none are.
	Films *Films
	// AnyPace reads recordings as fast as they decode instead of at their own pace, and
	// believes the times of cameras that run faster or slower than time does.
	AnyPace bool
	// Getenv returns the values of ${NAME} in URLs; nil: os.LookupEnv.
	Getenv func(string) (string, bool)
	// LookUp returns the addresses of a host; nil: the system's resolver.
	LookUp func(ctx context.Context, host string) ([]netip.Addr, error)
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
	if err := topics.CheckTimes(o.Window, o.Stride); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	o.fill()
	return errors.Join(o.Films.check(), o.Readers.check())
}

func (o *Options) fill() {
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	if o.LookUp == nil {
		o.LookUp = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Turns == nil {
		o.Turns = DefaultTurns()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// DefaultTurns are two for each core.
func DefaultTurns() *media.Turns { return media.NewTurns(2 * runtime.GOMAXPROCS(0)) }

// Stage is one ingest worker.
type Stage struct {
	Options
	metrics  metrics
	dead     *bus.DeadLetters
	resolver *resolver
	live     *live
	leases   *leases
	progress *progress
	films    *filming // nil: none are made here
	fleet    *fleet   // nil: cameras are read here
}

// New checks the options; nothing runs before Run.
func New(o Options) (*Stage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t, err := o.Trust.read()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Meter)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: o.Bus.Send, Topic: o.Names.Of(topics.DeadLetter), Stage: "ingest", Logger: o.Logger, Meter: o.Meter, Reporter: o.Reporter,
	})
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	s := &Stage{
		Options: o, metrics: m, dead: dead,
		resolver: &resolver{trust: t, schemes: o.Protocols, getenv: o.Getenv, lookUp: o.LookUp},
		live:     &live{all: map[gauged]bool{}}, leases: &leases{group: o.Group, held: map[partition]bool{}}, progress: newProgress(),
	}
	if o.Readers != nil {
		s.fleet = newFleet(s)
	}
	return s, nil
}

// SetOwn replaces Trust.Own, before Run or while it runs. A camera that was
// stopped because this worker refused it is tried again when it becomes one of
// them.
func (s *Stage) SetOwn(cameras []topics.Camera) {
	s.resolver.trust.setOwn(cameras)
	s.fleet.setOwn()
}

// Run runs the cameras of its partitions until ctx ends, then stops them and
// publishes that. It returns an error only when Kafka refuses for good.
func (s *Stage) Run(ctx context.Context) error {
	unobserve, err := s.live.observe(s.Meter, s.metrics)
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	stopReading, err := s.runReading(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("ingest: %w", err), unobserve())
	}
	s.Reporter.Check("ingest", s.progress.check)
	s.Reporter.Describe(s.leases.describe)
	watching, stopWatching := context.WithCancel(ctx)
	var watched sync.WaitGroup
	watched.Go(func() {
		pause.Every(watching, lookEvery, func() {
			s.look(s.Now())
			s.examine(s.Now())
		})
	})
	group := bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Cameras), StartFirst: true}
	err = s.Bus.Consume(ctx, group, func(ctx context.Context, p *bus.Partition) error { return s.own(ctx, p) })
	stopWatching()
	watched.Wait()
	if err = errors.Join(err, stopReading(), unobserve()); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

// runReading starts what cameras are read by, and what films are made by; stop, which
// comes after the cameras have ended, ends it.
func (s *Stage) runReading(ctx context.Context) (stop func() error, err error) {
	if s.fleet != nil {
		return s.fleet.run(ctx), nil
	}
	return s.runFilms(ctx)
}
