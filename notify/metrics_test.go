package notify

import (
	"encoding/hex"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// A slow delivery leads to the trace of the clip that raised the alert.
func TestADeliveryLeadsToItsTrace(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	b, h := startBroker(t, 1), startHook(t)
	b.headers = []bus.Header{{Key: "traceparent", Value: []byte("00-" + trace + "-00f067aa0ba902b7-01")}}
	r := b.run(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}", h.URL)), 1)
	b.send(t, alert("ward-1", 1, topics.AlertRaised))
	await(t, "a latency with a trace", func() bool {
		var all metricdata.ResourceMetrics
		if err := r.reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				if seconds, is := m.Data.(metricdata.Histogram[float64]); is && m.Name == "frostwatch.notify.latency" {
					of := seconds.DataPoints[0].Exemplars
					return len(of) == 1 && hex.EncodeToString(of[0].TraceID) == trace
				}
			}
		}
		return false
	})
}
