package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Catalog remembers the counters and histograms of meters, so that what other processes
// have counted by the same instruments (Tally) can be added to them.
type Catalog struct {
	mu     sync.Mutex
	ints   map[string]metric.Int64Counter
	floats map[string]metric.Float64Counter
	values map[string]metric.Float64Histogram
}

// NewCatalog makes an empty one.
func NewCatalog() *Catalog {
	return &Catalog{ints: map[string]metric.Int64Counter{}, floats: map[string]metric.Float64Counter{}, values: map[string]metric.Float64Histogram{}}
}

// Meter returns a meter whose instruments are remembered.
func (c *Catalog) Meter(m metric.Meter) metric.Meter { return catalogued{m, c} }

// Add adds what another process has counted. What no instrument is known for is ignored.
func (c *Catalog) Add(ctx context.Context, counts Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range counts.Sums {
		attrs := make([]attribute.KeyValue, 0, len(s.Attrs))
		for k, v := range s.Attrs {
			attrs = append(attrs, attribute.String(k, v))
		}
		of := metric.WithAttributes(attrs...)
		if i := c.ints[s.Name]; i != nil && s.Add >= 0 {
			i.Add(ctx, int64(s.Add), of)
		}
		if f := c.floats[s.Name]; f != nil && s.Add >= 0 {
			f.Add(ctx, s.Add, of)
		}
	}
	for name, values := range counts.Values {
		for _, v := range values {
			if h := c.values[name]; h != nil {
				h.Record(ctx, v)
			}
		}
	}
}

type catalogued struct {
	metric.Meter
	c *Catalog
}

func (m catalogued) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	i, err := m.Meter.Int64Counter(name, o...)
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.c.ints[name] = i
	return i, err
}

func (m catalogued) Float64Counter(name string, o ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	f, err := m.Meter.Float64Counter(name, o...)
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.c.floats[name] = f
	return f, err
}

func (m catalogued) Float64Histogram(name string, o ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	h, err := m.Meter.Float64Histogram(name, o...)
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.c.values[name] = h
	return h, err
}
