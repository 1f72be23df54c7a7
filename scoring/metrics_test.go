package scoring

import (
	"log/slog"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/frostwatch/frostwatch/internal/redistest"
)

// With the default buckets, made for milliseconds, each call is in the first.
func TestSecondsOfEmbeddingHaveBucketsThatTellThemApart(t *testing.T) {
	s, reader := redistest.Start(t), metric.NewManualReader()
	e, err := NewEmbeddings(EmbeddingsOptions{
		Client: s.Client, Embedder: &embedder{}, Logger: slog.New(slog.DiscardHandler), Meter: metric.NewMeterProvider(metric.WithReader(reader)).Meter(""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Of(t.Context(), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var out metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, m := range out.ScopeMetrics[0].Metrics {
		if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "frostwatch.vocabulary.embed.duration" {
			if bounds := h.DataPoints[0].Bounds; bounds[0] > .01 || bounds[len(bounds)-1] > 60 {
				t.Errorf("buckets %v", bounds)
			}
			return
		}
	}
	t.Error("there is no such metric")
}
