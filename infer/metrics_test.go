package infer

import (
	"image/color"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// counted returns a meter and a function that returns the sums of its counters.
func counted() (sums func(*testing.T) map[string]int64, m metric.Meter) {
	reader := sdkmetric.NewManualReader()
	sums = func(t *testing.T) map[string]int64 {
		t.Helper()
		return stagetest.Counts(t, reader)
	}
	return sums, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
}

// Metrics exist before their first event, and buckets suit what they measure.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	reader := sdkmetric.NewManualReader()
	slow := r.model("slow")
	slow.fault = func([]byte, int) error { time.Sleep(30 * time.Millisecond); return nil }
	o := r.options(slow.recogniser())
	o.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	o.Decoders = 1 // two may decode the same frame at the same time
	now := time.Now()
	for n := range 3 {
		r.send("a", clipOf(t, "a", n, jpegOf(t, 48, 32, color.White), now))
	}
	_, stop := start(t, o)
	// A clip is counted after its recognition has been sent.
	stagetest.Await(t, "the recognitions", func() bool { return stagetest.Counts(t, reader)["frostwatch.infer.clips"] == 3 })
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	got := map[string]metricdata.Aggregation{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		got[m.Name] = m.Data
	}
	for name, want := range map[string]int64{
		"frostwatch.infer.clips": 3, "frostwatch.infer.swaps": 0, "frostwatch.infer.model_failures": 0,
		"frostwatch.infer.frames_decoded": 1, "frostwatch.infer.frames_shared": 23,
	} {
		if sum, ok := got[name].(metricdata.Sum[int64]); !ok || len(sum.DataPoints) != 1 || sum.DataPoints[0].Value != want {
			t.Errorf("%s is %+v, want %d", name, got[name], want)
		}
	}
	seconds, ok := got["frostwatch.infer.model.duration"].(metricdata.Histogram[float64])
	if !ok {
		t.Fatalf("the model's durations are %+v", got["frostwatch.infer.model.duration"])
	}
	p := seconds.DataPoints[0]
	for i, n := range p.BucketCounts {
		if n > 0 && (i == 0 || i == len(p.BucketCounts)-1 || p.Bounds[i-1] < .02) {
			t.Errorf("runs of 30 ms and more are in bucket %d of %v", i, p.Bounds)
		}
	}
	late, ok := got["frostwatch.infer.late"].(metricdata.Gauge[float64])
	if !ok || len(late.DataPoints) != 1 {
		t.Errorf("the lateness is %+v", got["frostwatch.infer.late"])
	}
}
