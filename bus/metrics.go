package bus

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the measurements of reading.
type metrics struct {
	lag       metric.Int64ObservableGauge
	passed    metric.Int64Counter
	misplaced metric.Int64Counter
}

func newMetrics(m metric.Meter) (out metrics, err error) {
	var errs [3]error
	out.lag, errs[0] = m.Int64ObservableGauge("frostwatch.kafka.lag",
		metric.WithDescription("records of a partition that wait to be read by its group"))
	out.passed, errs[1] = m.Int64Counter("frostwatch.kafka.records_lost",
		metric.WithDescription("records that could not be read: deleted before, broken, or lost by the broker"))
	out.misplaced, errs[2] = m.Int64Counter("frostwatch.kafka.records_misplaced",
		metric.WithDescription("records in another partition than their key's, from a producer with another partitioner"))
	return out, errors.Join(errs[:]...)
}

// ofPlace names a partition that a group reads.
func ofPlace(group string, at place) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("group", group), attribute.String("topic", at.topic), attribute.Int("partition", at.partition))
}

// observeLag reports the lag of a lease while it is held.
func (c *Client) observeLag(group string, at place, lag func() int64) (stop func()) {
	attributes := ofPlace(group, at)
	r, err := c.Meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(c.metrics.lag, lag(), attributes)
		return nil
	}, c.metrics.lag)
	if err != nil {
		c.Logger.Warn("kafka: lag is not measured", "group", group, "error", err)
		return func() {}
	}
	return func() { _ = r.Unregister() }
}
