package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
	ReadSince(ctx context.Context, topic string, partition int, since time.Time, fn func(bus.Message) error) error
	FetchOne(ctx context.Context, topic string, partition int, offset int64) (bus.Message, error)
	Partitions(ctx context.Context, topic string) (int, error)
}

// Options of a Stage. All but the last two are required.
type Options struct {
	Bus   Bus
	Names topics.Names
	Group string
	Rules *RuleSet // nil: none

	Logger     *slog.Logger
	Tracer     trace.Tracer
	Meter      metric.Meter
	Propagator propagation.TextMapPropagator

	// NoClips is after how long without a clip a camera's alerts are cleared; 0: a
	// minute. Time in which Kafka is away does not count.
	NoClips time.Duration
	Now     func() time.Time // nil: time.Now
}

// Stage is one alerts worker.
type Stage struct {
	Options
	metrics metrics
	dead    *bus.DeadLetters

	mu      sync.Mutex
	rules   *RuleSet
	changed chan struct{} // closed when rules are replaced
}

type metrics struct {
	evaluated metric.Int64Counter
	alerts    metric.Int64Counter
	latency   metric.Float64Histogram
}

// New checks the options; nothing runs before Run.
func New(o Options) (*Stage, error) {
	if o.Bus == nil || o.Logger == nil || o.Tracer == nil || o.Meter == nil || o.Propagator == nil {
		return nil, errors.New("alerts: bus, logger, tracer, meter and propagator are required")
	}
	if o.NoClips == 0 {
		o.NoClips = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Stage{Options: o, rules: o.Rules, changed: make(chan struct{})}
	var errs [4]error
	s.metrics.evaluated, errs[0] = o.Meter.Int64Counter("frostwatch.alerts.recognitions", metric.WithDescription("recognitions evaluated"))
	s.metrics.alerts, errs[1] = o.Meter.Int64Counter("frostwatch.alerts.published", metric.WithDescription("alerts raised and cleared, by rule"))
	s.metrics.latency, errs[2] = o.Meter.Float64Histogram("frostwatch.alerts.latency_seconds", metric.WithUnit("s"),
		metric.WithDescription("from the end of the deciding clip's window to the alert acknowledged"),
		metric.WithExplicitBucketBoundaries(.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30))
	s.dead, errs[3] = bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: o.Bus.Send, Topic: o.Names.Of(topics.DeadLetter), Stage: "alerts", Logger: o.Logger, Meter: o.Meter,
	})
	return s, errors.Join(errs[:]...)
}

// SetRules replaces the rules, also before Run, and logs each that differs.
func (s *Stage) SetRules(rules *RuleSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := rules.Since(s.rules)
	s.rules = rules
	close(s.changed)
	s.changed = make(chan struct{})
	for _, name := range changes.Added {
		s.Logger.Info("rule added", "rule", name)
	}
	for _, name := range changes.Changed {
		s.Logger.Info("rule changed", "rule", name)
	}
	for _, name := range changes.Removed {
		s.Logger.Info("rule removed", "rule", name)
	}
}

// current are the rules and the channel that tells of the next.
func (s *Stage) current() (*RuleSet, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules, s.changed
}

// Run evaluates until ctx ends. It returns an error only when Kafka refuses for
// good, or the actions and alerts topics differ in their partitions.
func (s *Stage) Run(ctx context.Context) error {
	group := bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Actions), StartFirst: true}
	if err := s.Bus.Consume(ctx, group, s.partition); err != nil && ctx.Err() == nil {
		return fmt.Errorf("consume actions: %w", err)
	}
	return nil
}
