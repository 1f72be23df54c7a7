package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

const (
	// maxSeries bounds the series of one metric: cameras may have any names, and whoever may
	// write to Kafka can make some up. What is beyond is added up in a series of its own.
	maxSeries = 10_000
	// idleTime is for how long a series must not have grown to make room for another, and
	// roomEvery how often room is looked for.
	idleTime  = time.Hour
	roomEvery = time.Minute
)

// overflow are the attributes of what is beyond, those that OpenTelemetry has for it.
var overflow = attribute.NewSet(attribute.Bool("otel.metric.overflow", true))

// counters are those of a process, by meter and name: an instrument that is made twice is one.
type counters struct {
	now func() time.Time
	// full is told when a metric has more series than are kept, and with nil when it has not
	// any more; may be nil.
	full func(metric string, err error)

	mu     sync.Mutex
	ints   map[string]*counter[int64]
	floats map[string]*counter[float64]
}

func newCounters(now func() time.Time, full func(string, error)) *counters {
	if now == nil {
		now = time.Now
	}
	return &counters{now: now, full: full, ints: map[string]*counter[int64]{}, floats: map[string]*counter[float64]{}}
}

// counter is a counter whose series can be forgotten. OpenTelemetry's own keeps each for ever:
// once there are as many as it takes, a new camera would not be counted until the next start.
// Here those make room that have not grown for idleTime; one that grows again begins at 0,
// which Prometheus takes for a restart.
type counter[N int64 | float64] struct {
	*counters
	name string

	mu     sync.Mutex
	series map[attribute.Distinct]*series[N]
	beyond N
	over   bool      // something was beyond since room was found last
	looked time.Time // for room
}

type series[N int64 | float64] struct {
	of    attribute.Set
	sum   N
	grown time.Time
}

func (c *counter[N]) add(n N, options []metric.AddOption) {
	of := metric.NewAddConfig(options).Attributes()
	now := c.now()
	c.mu.Lock()
	was := c.over
	c.addTo(of, n, now)
	over := c.over
	c.mu.Unlock()
	c.report(was, over)
}

func (c *counter[N]) addTo(of attribute.Set, n N, now time.Time) {
	key := of.Equivalent()
	s := c.series[key]
	if s == nil {
		if !c.room(now) {
			c.beyond, c.over = c.beyond+n, true
			return
		}
		s = &series[N]{of: of}
		c.series[key] = s
	}
	s.sum, s.grown = s.sum+n, now
}

// room is whether there is place for a series more; the series of what is beyond has one.
func (c *counter[N]) room(now time.Time) bool {
	if len(c.series) < maxSeries-1 {
		c.over = false
		return true
	}
	if now.Sub(c.looked) < roomEvery {
		return false
	}
	c.looked = now
	for key, s := range c.series {
		if now.Sub(s.grown) >= idleTime {
			delete(c.series, key)
		}
	}
	c.over = c.over && len(c.series) >= maxSeries-1
	return len(c.series) < maxSeries-1
}

// each calls observe with every series. It is called at each scrape, so a flood that is over
// is noticed without another series.
func (c *counter[N]) each(observe func(N, attribute.Set)) {
	c.mu.Lock()
	was := c.over
	if was {
		c.room(c.now())
	}
	over := c.over
	for _, s := range c.series {
		observe(s.sum, s.of)
	}
	if c.beyond != 0 {
		observe(c.beyond, overflow)
	}
	c.mu.Unlock()
	c.report(was, over)
}

func (c *counter[N]) report(was, over bool) {
	switch {
	case c.full == nil || was == over:
	case over:
		c.full(c.name, fmt.Errorf("it has more than %d series, such as of as many cameras: those beyond are counted together, until others have not grown for %v", maxSeries, idleTime))
	default:
		c.full(c.name, nil)
	}
}

// forgetting is a meter whose counters forget.
type forgetting struct {
	metric.Meter
	scope string
	all   *counters
}

// Int64Counter is that of metric.Meter.
func (m forgetting) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	c, known := m.all.ints[m.scope+" "+name]
	if known {
		return intCounter{c: c}, nil
	}
	c = &counter[int64]{counters: m.all, name: name, series: map[attribute.Distinct]*series[int64]{}}
	about := metric.NewInt64CounterConfig(o...)
	_, err := m.Int64ObservableCounter(name, metric.WithUnit(about.Unit()), metric.WithDescription(about.Description()),
		metric.WithInt64Callback(func(_ context.Context, to metric.Int64Observer) error {
			c.each(func(n int64, of attribute.Set) { to.Observe(n, metric.WithAttributeSet(of)) })
			return nil
		}))
	m.all.ints[m.scope+" "+name] = c
	return intCounter{c: c}, err
}

// Float64Counter is that of metric.Meter.
func (m forgetting) Float64Counter(name string, o ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	c, known := m.all.floats[m.scope+" "+name]
	if known {
		return floatCounter{c: c}, nil
	}
	c = &counter[float64]{counters: m.all, name: name, series: map[attribute.Distinct]*series[float64]{}}
	about := metric.NewFloat64CounterConfig(o...)
	_, err := m.Float64ObservableCounter(name, metric.WithUnit(about.Unit()), metric.WithDescription(about.Description()),
		metric.WithFloat64Callback(func(_ context.Context, to metric.Float64Observer) error {
			c.each(func(n float64, of attribute.Set) { to.Observe(n, metric.WithAttributeSet(of)) })
			return nil
		}))
	m.all.floats[m.scope+" "+name] = c
	return floatCounter{c: c}, err
}

type intCounter struct {
	noop.Int64Counter
	c *counter[int64]
}

func (c intCounter) Add(_ context.Context, n int64, o ...metric.AddOption) { c.c.add(n, o) }

func (intCounter) Enabled(context.Context) bool { return true }

type floatCounter struct {
	noop.Float64Counter
	c *counter[float64]
}

func (c floatCounter) Add(_ context.Context, n float64, o ...metric.AddOption) { c.c.add(n, o) }

func (floatCounter) Enabled(context.Context) bool { return true }
