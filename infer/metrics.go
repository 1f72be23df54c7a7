package infer

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

type metrics struct {
	clips   metric.Int64Counter
	skipped metric.Int64Counter
	failed  metric.Int64Counter
	swaps   metric.Int64Counter
	batch   metric.Int64Histogram
	model   metric.Float64Histogram
	latency metric.Float64Histogram
}

func newMetrics(m metric.Meter) (metrics, error) {
	var out metrics
	var errs [7]error
	out.clips, errs[0] = m.Int64Counter("frostwatch.infer.clips", metric.WithDescription("clips recognised"))
	out.skipped, errs[1] = m.Int64Counter("frostwatch.infer.clips_skipped", metric.WithDescription("clips older than infer.max_age when read"))
	out.failed, errs[2] = m.Int64Counter("frostwatch.infer.model_failures", metric.WithDescription("model runs that failed"))
	out.swaps, errs[6] = m.Int64Counter("frostwatch.infer.swaps", metric.WithDescription("models that took over from another"))
	out.batch, errs[3] = m.Int64Histogram("frostwatch.infer.batch_clips", metric.WithDescription("clips in one model run"),
		metric.WithExplicitBucketBoundaries(1, 2, 4, 8, 16, 32, 64))
	out.model, errs[4] = m.Float64Histogram("frostwatch.infer.model_seconds", metric.WithUnit("s"), metric.WithDescription("one model run"))
	out.latency, errs[5] = m.Float64Histogram("frostwatch.infer.clip_latency_seconds", metric.WithUnit("s"),
		metric.WithDescription("from the end of a clip's window to its recognition acknowledged"),
		metric.WithExplicitBucketBoundaries(.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30))
	return out, errors.Join(errs[:]...)
}
