package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// Instruments creates a stage's metrics. It collects errors until Err is
// called, so that not every call needs a check. Names and units follow OpenTelemetry's
// conventions: a unit is no part of a name, and what is counted is named in braces. The
// exporter makes Prometheus' names of them: docs/metrics.md, which a test holds to what is
// created here. So names, units and descriptions are written out where an instrument is made.
type Instruments struct {
	Meter metric.Meter
	errs  []error
}

// Counter is a count that is exported as 0 before its first event.
func (i *Instruments) Counter(name, unit, description string) metric.Int64Counter {
	c := i.CounterBy(name, unit, description)
	if c != nil {
		c.Add(context.Background(), 0)
	}
	return c
}

// CounterBy counts by attributes, such as the camera. Each count is exported
// from its first event on.
func (i *Instruments) CounterBy(name, unit, description string) metric.Int64Counter {
	c, err := i.Meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	i.errs = append(i.errs, err)
	return c
}

// Gauge is a number that is set.
func (i *Instruments) Gauge(name, unit, description string) metric.Int64Gauge {
	g, err := i.Meter.Int64Gauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	i.errs = append(i.errs, err)
	return g
}

// TimeBy adds up time in seconds, by attributes.
func (i *Instruments) TimeBy(name, description string) metric.Float64Counter {
	c, err := i.Meter.Float64Counter(name, metric.WithUnit("s"), metric.WithDescription(description))
	i.errs = append(i.errs, err)
	return c
}

// Seconds is a histogram of times in seconds, by the upper bounds of its buckets.
func (i *Instruments) Seconds(name, description string, buckets ...float64) metric.Float64Histogram {
	h, err := i.Meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
	i.errs = append(i.errs, err)
	return h
}

// Numbers is a histogram of whole numbers, by the upper bounds of its buckets.
func (i *Instruments) Numbers(name, unit, description string, buckets ...float64) metric.Int64Histogram {
	h, err := i.Meter.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
	i.errs = append(i.errs, err)
	return h
}

// GaugeBy is a number that is read at each scrape, by a callback registered
// with the meter.
func (i *Instruments) GaugeBy(name, unit, description string) metric.Int64ObservableGauge {
	g, err := i.Meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	i.errs = append(i.errs, err)
	return g
}

// FloatGaugeBy is GaugeBy for fractions.
func (i *Instruments) FloatGaugeBy(name, unit, description string) metric.Float64ObservableGauge {
	g, err := i.Meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	i.errs = append(i.errs, err)
	return g
}

// Err returns all errors so far.
func (i *Instruments) Err() error { return errors.Join(i.errs...) }
