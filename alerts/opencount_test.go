package alerts

import (
	"fmt"
	"maps"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// gaugedOpen is the gauge of open alerts, by rule and severity.
func gaugedOpen(t *testing.T, r sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if g, is := m.Data.(metricdata.Gauge[int64]); is && m.Name == "frostwatch.alerts.open" {
				for _, p := range g.DataPoints {
					rule, _ := p.Attributes.Value("rule")
					severity, _ := p.Attributes.Value("severity")
					out[rule.AsString()+" "+severity.AsString()] = p.Value
				}
			}
		}
	}
	return out
}

// The gauge follows raises, escalations and clears, and the next worker takes over what is
// open.
func TestOpenAlertsAreGauged(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	rule := fallRule()
	rule.Escalate = &Escalate{After: 4 * time.Second}
	epoch := recent()
	run := func() (stop func() error, await func(want map[string]int64)) {
		reader := sdkmetric.NewManualReader()
		_, stop, _ = c.run(t, Options{Rules: ruleSet(t, rule), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("")})
		return stop, func(want map[string]int64) {
			t.Helper()
			stagetest.Await(t, fmt.Sprint("the gauge to be ", want), func() bool { return maps.Equal(gaugedOpen(t, reader), want) })
		}
	}
	stop, await := run()
	c.recognise(t, clipAt(epoch, 0, fall(.9)))
	await(map[string]int64{"fall warning": 1})
	c.recognise(t, clipAt(epoch, 1, fall(.9)), clipAt(epoch, 2, fall(.9)))
	await(map[string]int64{"fall warning": 0, "fall critical": 1})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	_, await = run()
	await(map[string]int64{"fall warning": 0, "fall critical": 1})
	c.recognise(t, clipAt(epoch, 3, fall(.1)), clipAt(epoch, 4, fall(.1)), clipAt(epoch, 5, fall(.1)))
	await(map[string]int64{"fall warning": 0, "fall critical": 0})
}
