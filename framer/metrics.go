package framer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

type metrics struct {
	clips      metric.Int64Counter
	dropped    metric.Int64Counter
	epochs     metric.Int64Counter
	incomplete metric.Int64Counter
	encode     metric.Float64Histogram
}

func newMetrics(m metric.Meter) (metrics, error) {
	var out metrics
	var errs [5]error
	out.clips, errs[0] = m.Int64Counter("frostwatch.framer.clips", metric.WithDescription("clips published"))
	out.dropped, errs[1] = m.Int64Counter("frostwatch.framer.clips_dropped", metric.WithDescription("complete clips lost to a full queue or a refusal of Kafka"))
	out.epochs, errs[2] = m.Int64Counter("frostwatch.framer.epochs", metric.WithDescription("stream epochs that ended"))
	out.incomplete, errs[3] = m.Int64Counter("frostwatch.framer.windows_incomplete", metric.WithDescription("windows cut off by the end of their epoch"))
	out.encode, errs[4] = m.Float64Histogram("frostwatch.framer.encode_seconds", metric.WithUnit("s"), metric.WithDescription("conversion, resizing and JPEG of one frame"),
		metric.WithExplicitBucketBoundaries(.001, .002, .005, .01, .02, .05, .1))
	return out, errors.Join(errs[:]...)
}

func ofCamera(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", name))
}

func (m *metrics) publish(ctx context.Context, camera string) { m.clips.Add(ctx, 1, ofCamera(camera)) }
func (m *metrics) drop(ctx context.Context, camera string)    { m.dropped.Add(ctx, 1, ofCamera(camera)) }

func (m *metrics) encoded(ctx context.Context, d time.Duration) { m.encode.Record(ctx, d.Seconds()) }

// epoch counts an ended epoch. Reasons that are not the framer's own are those
// of the connection: too many to be a label.
func (m *metrics) epoch(ctx context.Context, camera, why string, incomplete int) {
	switch why {
	case breakBackwards, breakGap, breakSize, breakDrift:
	default:
		why = "connection ended"
	}
	m.epochs.Add(ctx, 1, metric.WithAttributes(attribute.String("camera", camera), attribute.String("reason", why)))
	m.incomplete.Add(ctx, int64(incomplete), ofCamera(camera))
}
