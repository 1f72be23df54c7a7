package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Tally is the meter of a process whose counts another one exports (Catalog). It has
// counters and histograms; of gauges it knows nothing.
type Tally struct {
	noop.Meter

	mu     sync.Mutex
	sums   map[sumKey]*Sum
	values map[string][]float64
}

// Counts are what was counted since the last Take.
type Counts struct {
	Sums   []Sum                `json:"sums,omitempty"`
	Values map[string][]float64 `json:"values,omitempty"` // of histograms, by name
}

// Sum is what one counter has grown by.
type Sum struct {
	Name  string            `json:"name"`
	Attrs map[string]string `json:"attrs,omitempty"`
	Add   float64           `json:"add"`
}

type sumKey struct {
	name string
	of   attribute.Distinct
}

// mostValues bounds the values of one histogram between two Takes.
const mostValues = 4096

// NewTally makes an empty one.
func NewTally() *Tally {
	return &Tally{sums: map[sumKey]*Sum{}, values: map[string][]float64{}}
}

// Take returns what was counted since the last one.
func (t *Tally) Take() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := Counts{Values: t.values}
	for _, s := range t.sums {
		out.Sums = append(out.Sums, *s)
	}
	clear(t.sums)
	t.values = map[string][]float64{}
	return out
}

func (t *Tally) add(name string, by float64, options []metric.AddOption) {
	set := metric.NewAddConfig(options).Attributes()
	key := sumKey{name, set.Equivalent()}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sums[key]
	if s == nil {
		s = &Sum{Name: name, Attrs: map[string]string{}}
		for _, a := range set.ToSlice() {
			s.Attrs[string(a.Key)] = a.Value.String()
		}
		t.sums[key] = s
	}
	s.Add += by
}

func (t *Tally) record(name string, v float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.values[name]) < mostValues {
		t.values[name] = append(t.values[name], v)
	}
}

type tallied struct {
	noop.Int64Counter
	*Tally
	name string
}

func (c tallied) Add(_ context.Context, by int64, o ...metric.AddOption) {
	c.add(c.name, float64(by), o)
}

type talliedFloat struct {
	noop.Float64Counter
	*Tally
	name string
}

func (c talliedFloat) Add(_ context.Context, by float64, o ...metric.AddOption) {
	c.add(c.name, by, o)
}

type talliedValues struct {
	noop.Float64Histogram
	*Tally
	name string
}

func (h talliedValues) Record(_ context.Context, v float64, _ ...metric.RecordOption) {
	h.record(h.name, v)
}

// Int64Counter is that of metric.Meter.
func (t *Tally) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return tallied{Tally: t, name: name}, nil
}

// Float64Counter is that of metric.Meter.
func (t *Tally) Float64Counter(name string, _ ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return talliedFloat{Tally: t, name: name}, nil
}

// Float64Histogram is that of metric.Meter.
func (t *Tally) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return talliedValues{Tally: t, name: name}, nil
}
