package framer

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

type metrics struct {
	clips      metric.Int64Counter
	dropped    metric.Int64Counter
	gaps       metric.Float64Counter
	epochs     metric.Int64Counter
	incomplete metric.Int64Counter
	encode     metric.Float64Histogram
	zooms      metric.Int64Counter
	zoom       metric.Float64Histogram
}

func newMetrics(m metric.Meter) (metrics, error) {
	i := telemetry.Instruments{Meter: m}
	out := metrics{
		clips:      i.CounterBy("frostwatch.framer.clips", "{clip}", "clips published, by camera"),
		dropped:    i.CounterBy("frostwatch.framer.clips_dropped", "{clip}", "complete clips that were not published, by camera and reason"),
		gaps:       i.TimeBy("frostwatch.framer.gap", "time that no published clip covers, by camera and reason"),
		epochs:     i.CounterBy("frostwatch.framer.epochs", "{epoch}", "stream epochs that ended, by camera and reason"),
		incomplete: i.CounterBy("frostwatch.framer.windows_incomplete", "{window}", "windows cut off by the end of their epoch, by camera"),
		encode: i.Seconds("frostwatch.framer.encode.duration", "conversion, resizing and JPEG of one frame",
			.001, .002, .005, .01, .02, .05, .1),
		zooms: i.CounterBy("frostwatch.framer.clips_zoomed", "{clip}", "clips in which something moves, so that they have the view zoom, by camera"),
		zoom:  i.Seconds("frostwatch.framer.zoom.duration", "finding what moves in a clip, and cutting it out of its frames", .01, .02, .05, .1, .2, .5, 1),
	}
	return out, i.Err()
}

func ofCamera(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", name))
}

func ofReason(camera, reason string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("camera", camera), attribute.String("reason", reason))
}

// begin makes a camera's counters exist: a rate over one that appears with its
// first event misses that event.
func (m *metrics) begin(ctx context.Context, camera string) {
	m.clips.Add(ctx, 0, ofCamera(camera))
	m.dropped.Add(ctx, 0, ofReason(camera, gapQueueFull))
	m.dropped.Add(ctx, 0, ofReason(camera, gapRefused))
	m.gaps.Add(ctx, 0, ofReason(camera, gapNotConnected))
}

func (m *metrics) publish(ctx context.Context, camera string) { m.clips.Add(ctx, 1, ofCamera(camera)) }

func (m *metrics) drop(ctx context.Context, camera, reason string) {
	m.dropped.Add(ctx, 1, ofReason(camera, reason))
}

func (m *metrics) gap(ctx context.Context, camera, reason string, d time.Duration) {
	m.gaps.Add(ctx, d.Seconds(), ofReason(camera, reason))
}

func (m *metrics) encoded(ctx context.Context, d time.Duration) { m.encode.Record(ctx, d.Seconds()) }

func (m *metrics) zoomed(ctx context.Context, camera string, d time.Duration) {
	m.zooms.Add(ctx, 1, ofCamera(camera))
	m.zoom.Record(ctx, d.Seconds())
}

func (m *metrics) epoch(ctx context.Context, camera, why string, incomplete int) {
	m.epochs.Add(ctx, 1, ofReason(camera, why))
	m.incomplete.Add(ctx, int64(incomplete), ofCamera(camera))
}
