package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Bus is what the stage needs of Kafka; *bus.Client has it.
type Bus interface {
	Consume(ctx context.Context, o bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
	Table(topic string) *bus.Table
	// Age is how old a record is by the broker's clock, and Now the time by it.
	Age(m bus.Message) time.Duration
	Now() time.Time
	// Replay reads a stretch of a partition.
	Replay(ctx context.Context, topic string, partition int, from, to int64, fn func(bus.Message) error) error
	PartitionOf(ctx context.Context, topic string, key []byte) (int, error)
	// Behind is how many records of a topic a group has not committed.
	Behind(ctx context.Context, group, topic string) (int64, error)
}

// Options of a Stage. Those without a default are required.
type Options struct {
	Bus   Bus
	Names topics.Names
	// Group begins the names of the consumer groups (GroupOf).
	Group string
	Plan  *Plan // nil: no receivers
	// Profiles of which people put one in force (topics.Profile).
	Profiles []config.Profile
	// Worker is the name of this process, which no other has; some receivers see it.
	Worker string
	// Evidence reads the clip that raised an alert; nil: no receiver gets pictures.
	Evidence func(context.Context, topics.Alert) (topics.Clip, error)
	// Verifier is asked for second opinions before alerts are delivered; nil: nobody is.
	Verifier *Verifier
	// Rest is how long a model that does not answer is not waited for. 0: half a minute.
	Rest time.Duration
	// Films is where films of alerts are; nil: no receiver gets them.
	Films Films
	// FilmLook is the time between two looks for films. 0: 3 s.
	FilmLook time.Duration
	// Retry is the longest wait between two attempts. 0: a minute.
	Retry time.Duration

	Logger   *slog.Logger
	Meter    metric.Meter
	Reporter telemetry.Reporter // nil: telemetry.Quiet
	// Propagator finds the trace in an alert's record, so that a slow delivery leads to it.
	// nil: none is looked for.
	Propagator propagation.TextMapPropagator
}

// Stage delivers alerts to the receivers of a plan.
type Stage struct {
	Options
	metrics  metrics
	silences *silences
	open     *openAlerts
	opinions *opinions

	mu      sync.Mutex
	changed chan struct{} // closed when the plan is replaced
	held    map[string][]int
}

// New checks the options. Nothing runs before Run.
func New(o Options) (*Stage, error) {
	switch {
	case o.Bus == nil || o.Logger == nil || o.Meter == nil:
		return nil, errors.New("notify: bus, logger and meter are required")
	case o.Group == "":
		return nil, errors.New("notify.group: it is empty")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.Retry == 0 {
		o.Retry = longWait
	}
	if o.Rest == 0 {
		o.Rest = restTime
	}
	i := &telemetry.Instruments{Meter: o.Meter}
	s := &Stage{Options: o, metrics: newMetrics(i), open: newOpenAlerts(), silences: newSilences(o.Profiles), opinions: newOpinions(o.Verifier), changed: make(chan struct{}), held: map[string][]int{}}
	return s, i.Err()
}

// SetPlan replaces the receivers, before Run or while it runs. A receiver that has not
// changed is not disturbed.
func (s *Stage) SetPlan(p *Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Plan = p
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Stage) plan() (*Plan, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Plan, s.changed
}

// Run delivers until ctx ends. It returns an error only when Kafka refuses for good.
func (s *Stage) Run(ctx context.Context) error {
	s.Reporter.Describe(s.describe)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		s.followSilences(ctx)
		return nil
	})
	g.Go(func() error { return s.secondOpinions(ctx) })
	s.awaitSilences(ctx)
	s.awaitVerdicts(ctx)
	g.Go(func() error { return s.followOpen(ctx) })
	g.Go(func() error {
		s.wakeAtEnds(ctx)
		return nil
	})
	running := map[string]*delivery{}
	for ctx.Err() == nil {
		plan, changed := s.plan()
		for name, d := range running {
			if r := plan.find(name); r == nil || !reflect.DeepEqual(r.Receiver, d.Receiver) {
				d.stop()
				<-d.ended
				delete(running, name)
				if r == nil {
					g.Go(func() error {
						d.removed(ctx)
						return nil
					})
				}
			}
		}
		for _, r := range plan.all() {
			if running[r.Name] == nil {
				own, stop := context.WithCancel(ctx)
				d, err := s.delivery(r, stop)
				if err != nil {
					stop()
					return errors.Join(err, g.Wait())
				}
				running[r.Name] = d
				g.Go(func() error { return d.run(own) })
			}
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	return g.Wait()
}

// GroupOf is the group that delivers to a receiver.
func GroupOf(group, receiver string) string { return group + "-" + receiver }

// delivery is what is common to the partitions of a receiver.
type delivery struct {
	*Stage
	*receiver
	stop        context.CancelFunc
	ended       chan struct{}
	limit       *rate.Limiter
	letters     *bus.DeadLetters
	generations bus.Generations
	longest     time.Duration // between two attempts
	by          metric.MeasurementOption
}

func (s *Stage) delivery(r *receiver, stop context.CancelFunc) (*delivery, error) {
	letters, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: s.Bus.Send, Topic: s.Names.Of(topics.DeadLetter), Stage: "notify", Logger: s.Logger, Meter: s.Meter, Reporter: s.Reporter,
	})
	if err != nil {
		return nil, err
	}
	if c, has := r.Sender.(clocked); has {
		c.useClock(s.Bus.Now)
	}
	by := metric.WithAttributes(attribute.String("receiver", r.Name))
	s.metrics.begin(by)
	return &delivery{
		Stage: s, receiver: r, stop: stop, ended: make(chan struct{}), limit: newLimiter(r.Limit), letters: letters,
		generations: bus.Generations{Forged: func(n int, by bus.Message) {
			s.Logger.Warn("somebody else wrote to the topic of alerts under a forged generation: alerts since then were taken for those of a worker that had lost the partition", "receiver", r.Name, "partition", by.Partition, "generation", n, "until_offset", by.Offset)
		}},
		longest: s.Retry, by: by,
	}, nil
}

// clocked is a Sender that sends times of now. By the broker's clock they are right where
// that of this machine is not, or is set while the stage runs.
type clocked interface{ useClock(now func() time.Time) }

// run delivers until the receiver is taken out of the plan, or all ends.
func (d *delivery) run(ctx context.Context) error {
	defer close(d.ended)
	defer d.show(ctx)()
	defer d.missFilms(ctx)()
	defer d.stop() // ends what shows
	defer d.Reporter.Warning(d.part(), nil)
	if s, may := d.Sender.(interface{ ready() error }); may {
		d.Reporter.Warning(d.part(), s.ready())
	}
	group := GroupOf(d.Stage.Group, d.Name)
	err := d.Bus.Consume(ctx, bus.GroupOptions{Group: group, Topic: d.Names.Of(topics.Alerts)}, func(ctx context.Context, p *bus.Partition) error {
		d.hold(p.ID(), true)
		defer d.hold(p.ID(), false)
		return d.partition(ctx, p)
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("notify %s: %w", d.Name, err)
	}
	return nil
}

// part names the receiver in reports.
func (d *delivery) part() string { return "receiver " + d.Name }

func (d *delivery) hold(partition int, holds bool) {
	defer d.open.wake()
	d.mu.Lock()
	defer d.mu.Unlock()
	if holds {
		d.held[d.Name] = append(d.held[d.Name], partition)
		return
	}
	d.held[d.Name] = slices.DeleteFunc(d.held[d.Name], func(p int) bool { return p == partition })
}

// describe fills in the worker's record. Of the receivers' groups, which have the same
// partitions when all is well, it names the one that holds the most.
func (s *Stage) describe(w *topics.Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Stages == nil {
		w.Stages = map[string]topics.WorkerStage{}
	}
	var most topics.WorkerStage
	for name, partitions := range s.held {
		if len(partitions) > len(most.Partitions) {
			most = topics.WorkerStage{Group: GroupOf(s.Group, name), Partitions: slices.Sorted(slices.Values(partitions))}
		}
	}
	w.Stages["notify"] = most
}
