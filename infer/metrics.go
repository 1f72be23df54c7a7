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
	clips, skipped, overtaken metric.Int64Counter
	unscored                  metric.Int64Counter
	failed, swaps             metric.Int64Counter
	decoded, shared, repeated metric.Int64Counter
	batch                     metric.Int64Histogram
	model, latency            metric.Float64Histogram
	late                      metric.Float64ObservableGauge
}

func newMetrics(m metric.Meter) (metrics, error) {
	i := telemetry.Instruments{Meter: m}
	out := metrics{
		clips:     i.Counter("frostwatch.infer.clips", "clips recognised"),
		skipped:   i.CounterBy("frostwatch.infer.clips_skipped", "clips skipped as older than infer.max_age: by camera if they were read, else by partition"),
		overtaken: i.CounterBy("frostwatch.infer.clips_overtaken", "clips discarded because their sender had lost the camera to another worker, by camera"),
		unscored:  i.CounterBy("frostwatch.infer.clips_without_labels", "clips recognised while their vocabulary had no labels that could be used, by camera and vocabulary"),
		failed:    i.Counter("frostwatch.infer.model_failures", "model runs that failed"),
		swaps:     i.Counter("frostwatch.infer.swaps", "models that replaced another while running"),
		decoded:   i.Counter("frostwatch.infer.frames_decoded", "frames decoded"),
		shared:    i.Counter("frostwatch.infer.frames_shared", "frames that an earlier clip contained too and that were not decoded again"),
		repeated:  i.Counter("frostwatch.infer.clips_repeated", "clips of quiet spells that were scored with the embedding of an earlier one"),
		batch:     i.Numbers("frostwatch.infer.batch_clips", "squares of pictures in one model run: of each clip one, or more where its camera has other views than centre", 1, 2, 4, 8, 16, 32, 64),
		model:     i.Seconds("frostwatch.infer.model_seconds", "one model run", .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30),
		latency: i.Seconds("frostwatch.infer.clip_latency_seconds", "from when a clip was cut, by the broker's clock, until its recognition was acknowledged",
			.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30),
		late: i.FloatGaugeBy("frostwatch.infer.late_seconds", "how long the oldest waiting clip of a partition has been waiting; 0: none waits", metric.WithUnit("s")),
	}
	if err := i.Err(); err != nil {
		return out, fmt.Errorf("metrics of infer: %w", err)
	}
	return out, nil
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
