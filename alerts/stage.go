package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
	Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(bus.Message) error) error
	Follow(ctx context.Context, topic string, partition int, from int64, fn func(bus.Message) error) error
	Bounds(ctx context.Context, topic string, partition int) (first, next int64, err error)
	OffsetAt(ctx context.Context, topic string, partition int, t time.Time) (int64, error)
	FetchOne(ctx context.Context, topic string, partition int, offset int64) (bus.Message, error)
	Partitions(ctx context.Context, topic string) (int, error)
	PartitionOf(ctx context.Context, topic string, key []byte) (int, error)
	Age(m bus.Message) time.Duration
	Table(topic string) *bus.Table
}

// Vocabularies are the live vocabularies, as vocab.Watchers has them.
type Vocabularies interface {
	// Current is the content of a vocabulary, nil before the first reading; an empty
	// name means the default one. It is followed from now on.
	Current(name string) *vocab.Vocabulary
	// Changed is closed once one of them has another content.
	Changed() <-chan struct{}
}

// Options of a Stage. All but Rules are required down to Propagator.
type Options struct {
	Bus   Bus
	Names topics.Names
	Group string
	Rules *RuleSet // nil: none

	Logger     *slog.Logger
	Tracer     trace.Tracer
	Meter      metric.Meter
	Propagator propagation.TextMapPropagator

	Reporter telemetry.Reporter // nil: telemetry.Quiet
	// Vocabularies are used to report rules about labels or tags that they do not
	// hold, and clears of alerts whose label has left them; nil: neither is reported.
	Vocabularies Vocabularies
	// VocabularyOf names the vocabulary of a camera; empty: the default one. nil: a
	// camera has the one that its record names.
	VocabularyOf func(topics.Camera) string
	// Receivers is as in Surroundings; nil: that is not known.
	Receivers func(receiver, rule, severest string) string
	// NoClips is how long a camera may send no clip before its alerts are cleared;
	// 0: a minute. Time during which Kafka can't be reached does not count.
	NoClips time.Duration
	Now     func() time.Time // nil: time.Now
}

// Stage is one alerts worker.
type Stage struct {
	Options
	metrics  metrics
	dead     *bus.DeadLetters
	fleet    *fleet
	budgets  *budgets
	statuses *statuses
	held     held
	opened   *openCounts

	mu      sync.Mutex
	rules   *RuleSet
	changed chan struct{} // closed when rules are replaced
}

type metrics struct {
	evaluated metric.Int64Counter
	alerts    metric.Int64Counter
	latency   metric.Float64Histogram
	open      metric.Int64ObservableGauge
}

// New checks the options. Nothing runs before Run.
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
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.VocabularyOf == nil {
		o.VocabularyOf = func(c topics.Camera) string { return c.Vocabulary }
	}
	s := &Stage{Options: o, rules: o.Rules, changed: make(chan struct{}), fleet: newFleet(o.VocabularyOf), budgets: newBudgets(), statuses: newStatuses(), opened: newOpenCounts()}
	in := telemetry.Instruments{Meter: o.Meter}
	s.metrics = metrics{
		evaluated: in.Counter("frostwatch.alerts.recognitions", "{recognition}", "recognitions evaluated"),
		alerts:    in.CounterBy("frostwatch.alerts.published", "{alert}", "alerts raised, escalated and cleared, by rule and state"),
		latency: in.Seconds("frostwatch.alerts.latency", "from the end of the deciding clip's window to the alert acknowledged",
			.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30),
		open: in.GaugeBy("frostwatch.alerts.open", "{alert}", "alerts that are open, by rule and severity, in the partitions that this worker holds"),
	}
	var err error
	s.dead, err = bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: o.Bus.Send, Topic: o.Names.Of(topics.DeadLetter), Stage: "alerts", Logger: o.Logger, Meter: o.Meter, Reporter: o.Reporter,
	})
	if err := errors.Join(in.Err(), err); err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	s.begin(o.Rules)
	s.describe()
	return s, nil
}

// begin makes the counters of rules exist: a rate over one that appears with its first
// event misses that event.
func (s *Stage) begin(rules *RuleSet) {
	for _, name := range rules.Names() {
		for _, state := range []topics.AlertState{topics.AlertRaised, topics.AlertCleared} {
			s.metrics.publish(context.Background(), name, state, 0)
		}
	}
}

func (m *metrics) publish(ctx context.Context, rule string, state topics.AlertState, n int64) {
	m.alerts.Add(ctx, n, metric.WithAttributes(attribute.String("rule", rule), attribute.String("state", string(state))))
}

// SetRules replaces the rules, before Run or while it runs.
func (s *Stage) SetRules(rules *RuleSet) {
	s.begin(rules)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = rules
	close(s.changed)
	s.changed = make(chan struct{})
}

// current returns the rules and a channel that is closed when they are replaced.
func (s *Stage) current() (*RuleSet, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules, s.changed
}

// await waits for rules that are wanted; false: ctx has ended before.
func (s *Stage) await(ctx context.Context, wanted func(*RuleSet) bool) bool {
	for {
		rules, changed := s.current()
		if wanted(rules) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Run evaluates until ctx ends. It returns an error only when Kafka refuses for
// good, or the actions and alerts topics differ in their partitions.
func (s *Stage) Run(ctx context.Context) error {
	unobserve, err := s.observeOpen()
	if err != nil {
		return err
	}
	defer unobserve()
	g, own := errgroup.WithContext(ctx)
	g.Go(func() error {
		s.followCameras(own)
		return nil
	})
	g.Go(func() error {
		s.followBudgets(own)
		return nil
	})
	g.Go(func() error {
		s.followStatuses(own)
		return nil
	})
	g.Go(func() error { return s.watchEffects(own) })
	g.Go(func() error {
		group := bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Actions), StartFirst: true}
		if err := s.Bus.Consume(own, group, s.partition); err != nil && own.Err() == nil {
			return fmt.Errorf("consume actions: %w", err)
		}
		return nil
	})
	return g.Wait()
}

// followCameras keeps up with the table of cameras. Where this worker may not read
// it, alerts work all the same, but a glob that no camera matches is not reported.
func (s *Stage) followCameras(ctx context.Context) {
	err := s.fleet.follow(ctx, s.Bus.Table(s.Names.Of(topics.Cameras)))
	if err != nil && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "globs in rules are not compared with the cameras", "error", err)
		s.Reporter.Warning("cameras", err)
	}
}
