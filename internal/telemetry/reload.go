package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Reload is a pair of gauges, named as Prometheus' own servers do: whether the newest
// content of what is read again while a process runs is in force, and when that was last
// found to be so.
type Reload struct {
	OK metric.Int64Gauge // ..._last_reload_successful
	At metric.Int64Gauge // ..._last_reload_success_timestamp_seconds
	// Of are further attributes, such as the vocabulary.
	Of []attribute.KeyValue
}

// Done reports that the newest content is in force, or, with an error, that it is not.
func (r Reload) Done(ctx context.Context, err error) {
	of := metric.WithAttributes(r.Of...)
	if err != nil {
		r.OK.Record(ctx, 0, of)
		return
	}
	r.OK.Record(ctx, 1, of)
	r.At.Record(ctx, time.Now().Unix(), of)
}
