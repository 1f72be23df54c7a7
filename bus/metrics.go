package bus

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// metrics are the measurements of reading.
type metrics struct {
	lag       metric.Int64ObservableGauge
	passed    metric.Int64Counter
	misplaced metric.Int64Counter
}

func newMetrics(m metric.Meter) (out metrics, err error) {
	i := telemetry.Instruments{Meter: m}
	out.lag = i.GaugeBy("frostwatch.kafka.lag", "{record}", "records that wait to be read, by the group that reads them, topic and partition")
	out.passed = i.CounterBy("frostwatch.kafka.records_lost", "{record}", "records that could not be read: deleted before, broken, or lost by the broker, by group, topic and partition")
	out.misplaced = i.CounterBy("frostwatch.kafka.records_misplaced", "{record}", "records in another partition than their key's, from a producer with another partitioner, by group, topic and partition")
	return out, i.Err()
}

// ofPlace names a partition that a group reads.
func ofPlace(group string, at place) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("group", group), attribute.String("topic", at.topic), attribute.Int("partition", at.partition))
}

// lost counts records of a partition that could not be read.
func (m metrics) lost(ctx context.Context, at place, n int64) {
	m.passed.Add(ctx, n, metric.WithAttributes(attribute.String("topic", at.topic), attribute.Int("partition", at.partition)))
}

// observeLag reports the lag of a lease while it is held. The partition's counters exist from
// then on: a rate over one that appears with its first event misses that event.
func (c *Client) observeLag(group string, at place, lag func() int64) (stop func()) {
	c.metrics.lost(context.Background(), at, 0)
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
