package infer

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// metrics are the instruments of a stage.
type metrics struct {
	clips, dropped, unscored  metric.Int64Counter
	failed, swaps             metric.Int64Counter
	decoded, shared, repeated metric.Int64Counter
	embedded, reused          metric.Int64Counter
	batch                     metric.Int64Histogram
	model, latency            metric.Float64Histogram
	late                      metric.Float64ObservableGauge
}

func newMetrics(m metric.Meter) (metrics, error) {
	i := telemetry.Instruments{Meter: m}
	out := metrics{
		clips:    i.Counter("frostwatch.infer.clips", "{clip}", "clips recognised"),
		dropped:  i.CounterBy("frostwatch.infer.clips_dropped", "{clip}", "clips that were not recognised, by reason, and by camera if they were read"),
		unscored: i.CounterBy("frostwatch.infer.clips_without_labels", "{clip}", "clips recognised while their vocabulary had no labels that could be used, by camera and vocabulary"),
		failed:   i.Counter("frostwatch.infer.model_failures", "{run}", "model runs that failed"),
		swaps:    i.Counter("frostwatch.infer.swaps", "{model}", "models that replaced another while running"),
		decoded:  i.Counter("frostwatch.infer.frames_decoded", "{frame}", "frames decoded"),
		shared:   i.Counter("frostwatch.infer.frames_shared", "{frame}", "frames that an earlier clip contained too and that were not decoded again"),
		embedded: i.Counter("frostwatch.infer.frames_embedded", "{frame}", "frames of squares of pictures embedded, by models that see each by itself"),
		reused:   i.Counter("frostwatch.infer.frames_reused", "{frame}", "frames of squares of pictures whose embeddings were there from an earlier clip, or from the same run"),
		repeated: i.Counter("frostwatch.infer.clips_repeated", "{clip}", "clips of quiet spells that were scored with the embedding of an earlier one"),
		batch:    i.Numbers("frostwatch.infer.batch_size", "{square}", "squares of pictures in one model run: of each clip one, or more where its camera has other views than centre", 1, 2, 4, 8, 16, 32, 64),
		model:    i.Seconds("frostwatch.infer.model.duration", "one model run", .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30),
		latency: i.Seconds("frostwatch.infer.clip.latency", "from when a clip was cut, by the broker's clock, until its recognition was acknowledged",
			.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30),
		late: i.FloatGaugeBy("frostwatch.infer.late", "s", "how long the oldest waiting clip of a partition has been waiting; 0: none waits"),
	}
	if err := i.Err(); err != nil {
		return out, fmt.Errorf("metrics of infer: %w", err)
	}
	out.drop(context.Background(), "", dropTooOld, 0) // so that it is exported before the first
	return out, nil
}

// Why clips are not recognised.
const (
	dropTooOld    = "too old"   // older than infer.max_age
	dropOvertaken = "overtaken" // their sender had lost the camera to another worker
)

// drop counts clips of a camera, which is empty if they were not read.
func (m *metrics) drop(ctx context.Context, camera, reason string, n int64) {
	m.dropped.Add(ctx, n, metric.WithAttributes(attribute.String("camera", camera), attribute.String("reason", reason)))
}

// observeLate registers a gauge of how late each partition is, until stop is
// called.
func (s *Stage) observeLate() (stop func(), err error) {
	r, err := s.Meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		each, _ := s.backlog.look()
		for _, one := range each {
			o.ObserveFloat64(s.metrics.late, one.late.Seconds(), metric.WithAttributes(attribute.Int("partition", one.partition)))
		}
		return nil
	}, s.metrics.late)
	if err != nil {
		return nil, fmt.Errorf("metrics of infer: %w", err)
	}
	return func() { _ = r.Unregister() }, nil
}
