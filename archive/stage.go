package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka; *bus.Client has it.
type Bus interface {
	Log
	Consume(ctx context.Context, o bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	// Age is how old a record is by the broker's clock.
	Age(m bus.Message) time.Duration
}

// Options of the stage. Those without a default are required.
type Options struct {
	Bus    Bus
	Names  topics.Names
	Bucket *Bucket
	// Group begins the names of the consumer groups: each topic has one of its own
	// (GroupOf).
	Group string
	Keep  Keep
	// Parallel segments are built at a time, of some 60 MB each. 0: 2.
	Parallel int
	// Poll is how often to check whether a segment is complete. 0: 5 s.
	Poll time.Duration
	// Now is for ages of segments. nil: time.Now.
	Now func() time.Time

	Logger   *slog.Logger
	Meter    metric.Meter
	Reporter telemetry.Reporter // nil: telemetry.Quiet
}

// Stage writes segments and removes those that are too old.
type Stage struct {
	Options
	building chan struct{} // holds one for each segment that is being built
	metrics  metrics

	mu   sync.Mutex
	held map[topics.Topic][]int // partitions
}

type metrics struct {
	segments, records, dropped, written, removed metric.Int64Counter
}

// New checks the options.
func New(o Options) (*Stage, error) {
	switch {
	case o.Bus == nil || o.Bucket == nil || o.Logger == nil || o.Meter == nil:
		return nil, errors.New("archive: bus, bucket, logger and meter are required")
	case o.Group == "":
		return nil, errors.New("archive.group: it is empty")
	}
	if err := o.Keep.check(); err != nil {
		return nil, err
	}
	if o.Parallel == 0 {
		o.Parallel = 2
	}
	if o.Poll == 0 {
		o.Poll = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	i := &telemetry.Instruments{Meter: o.Meter}
	s := &Stage{Options: o, building: make(chan struct{}, o.Parallel), held: map[topics.Topic][]int{}, metrics: newMetrics(i)}
	return s, i.Err()
}

// Why records are in no segment.
var (
	// reasonUnusable: they could not be read, or are of a worker that had lost the partition.
	reasonUnusable = metric.WithAttributes(attribute.String("reason", "unusable"))
	// reasonDeleted: Kafka deleted them before they were archived.
	reasonDeleted = metric.WithAttributes(attribute.String("reason", "deleted"))
)

func newMetrics(i *telemetry.Instruments) metrics {
	m := metrics{
		segments: i.Counter("frostwatch.archive.segments", "{segment}", "segments written"),
		records:  i.Counter("frostwatch.archive.records", "{record}", "records in written segments"),
		dropped:  i.CounterBy("frostwatch.archive.records_dropped", "{record}", "records that are in no segment, by reason"),
		written:  i.Counter("frostwatch.archive.written", "By", "size of written segments"),
		removed:  i.Counter("frostwatch.archive.removed", "{file}", "segments and films removed by age or size"),
	}
	if m.dropped != nil { // so that they are exported before the first
		m.dropped.Add(context.Background(), 0, reasonUnusable)
		m.dropped.Add(context.Background(), 0, reasonDeleted)
	}
	return m
}

// Run archives until ctx ends.
func (s *Stage) Run(ctx context.Context) error {
	s.Reporter.Describe(s.describe)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return consume(ctx, s, actionsCodec()) })
	g.Go(func() error { return consume(ctx, s, alertsCodec()) })
	g.Go(func() error { return s.retain(ctx) })
	return g.Wait()
}

// GroupOf is the group that archives a topic.
func GroupOf(group string, t topics.Topic) string { return group + "-" + string(t) }

func consume[T any](ctx context.Context, s *Stage, c codec[T]) error {
	w := &writer[T]{Stage: s, codec: c, name: s.Names.Of(c.topic)}
	o := bus.GroupOptions{Group: GroupOf(s.Group, c.topic), Topic: w.name, StartFirst: true}
	err := s.Bus.Consume(ctx, o, func(ctx context.Context, p *bus.Partition) error {
		s.hold(c.topic, p.ID(), true)
		defer s.hold(c.topic, p.ID(), false)
		return w.partition(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("archive %s: %w", w.name, err)
	}
	return nil
}

func (s *Stage) hold(t topics.Topic, partition int, holds bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if holds {
		s.held[t] = append(s.held[t], partition)
		return
	}
	s.held[t] = slices.DeleteFunc(s.held[t], func(p int) bool { return p == partition })
}

// describe fills in the worker's record, with the partitions of actions alone: there
// are as many of alerts.
func (s *Stage) describe(w *topics.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Stages == nil {
		w.Stages = map[string]topics.WorkerStage{}
	}
	w.Stages["archive"] = topics.WorkerStage{
		Group: GroupOf(s.Group, topics.Actions), Partitions: slices.Sorted(slices.Values(s.held[topics.Actions])),
	}
}
