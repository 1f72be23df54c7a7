package alerts

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/topics"
)

// openKey is what open alerts are counted by.
type openKey struct{ rule, severity string }

// openCount counts the open alerts of one partition. What has fallen to 0 stays, so that a
// graph ends at 0 and not in the air.
type openCount struct {
	mu sync.Mutex
	by map[openKey]int64
}

func newOpenCount() *openCount { return &openCount{by: map[openKey]int64{}} }

// add notes n more alerts like a.
func (c *openCount) add(a topics.Alert, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[openKey{a.Rule, a.Severity}] += n
}

// addTo adds the counts to those of other partitions.
func (c *openCount) addTo(sum map[openKey]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, n := range c.by {
		sum[k] += n
	}
}

// openCounts are those of the partitions that this worker holds and has restored.
type openCounts struct {
	mu  sync.Mutex
	all map[*openCount]bool
}

func newOpenCounts() *openCounts { return &openCounts{all: map[*openCount]bool{}} }

// list makes a partition's count part of the sum until the returned function is called.
func (o *openCounts) list(c *openCount) (unlist func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[c] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.all, c)
	}
}

func (o *openCounts) sum() map[openKey]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := map[openKey]int64{}
	for c := range o.all {
		c.addTo(sum)
	}
	return sum
}

// observeOpen registers the gauge of open alerts, until stop is called.
func (s *Stage) observeOpen() (stop func(), err error) {
	r, err := s.Meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for k, n := range s.opened.sum() {
			o.ObserveInt64(s.metrics.open, n, metric.WithAttributes(attribute.String("rule", k.rule), attribute.String("severity", k.severity)))
		}
		return nil
	}, s.metrics.open)
	if err != nil {
		return nil, fmt.Errorf("observe open alerts: %w", err)
	}
	return func() { _ = r.Unregister() }, nil
}
