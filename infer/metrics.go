package infer

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// metrics are the stage's. Counters exist from the start, at zero: a rate over
// one that appears with its first event misses that event.
type metrics struct {
	clips     metric.Int64Counter
	skipped   metric.Int64Counter
	overtaken metric.Int64Counter
	failed    metric.Int64Counter
	swaps     metric.Int64Counter
	decoded   metric.Int64Counter
	shared    metric.Int64Counter
	batch     metric.Int64Histogram
	model     metric.Float64Histogram
	latency   metric.Float64Histogram
}

func newMetrics(m metric.Meter) (out metrics, err error) {
	counter := func(name, what string) metric.Int64Counter {
		c, e := m.Int64Counter("frostwatch.infer."+name, metric.WithDescription(what))
		if err = errors.Join(err, e); e == nil {
			c.Add(context.Background(), 0)
		}
		return c
	}
	seconds := func(name, what string, bounds ...float64) metric.Float64Histogram {
		h, e := m.Float64Histogram("frostwatch.infer."+name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		err = errors.Join(err, e)
		return h
	}
	out.clips = counter("clips", "clips recognised")
	out.skipped = counter("clips_skipped", "clips skipped as older than infer.max_age, by camera where they were read, else by partition")
	out.overtaken = counter("clips_overtaken", "clips discarded since their sender had lost the camera to another worker")
	out.failed = counter("model_failures", "model runs that failed")
	out.swaps = counter("swaps", "models that took over from another")
	out.decoded = counter("frames_decoded", "frames decoded")
	out.shared = counter("frames_shared", "frames that another clip had as well and were not decoded again")
	out.model = seconds("model_seconds", "one model run", .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
	out.latency = seconds("clip_latency_seconds", "from a clip's being cut, by the broker's clock, to its recognition acknowledged",
		.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30)
	batch, e := m.Int64Histogram("frostwatch.infer.batch_clips", metric.WithDescription("clips in one model run"),
		metric.WithExplicitBucketBoundaries(1, 2, 4, 8, 16, 32, 64))
	out.batch = batch
	return out, errors.Join(err, e)
}
