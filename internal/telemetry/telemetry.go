// Package telemetry sets up the traces, metrics and logs of one process.
// Nothing is global: stages are passed their tracer, meter and logger.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/internal/config"
)

// Options of a process's telemetry.
type Options struct {
	Service string // "frostwatch-infer"
	Version string
	// Instance tells processes of one service apart; may be empty.
	Instance string
	// OTLPEndpoint is a collector's gRPC address, http://host:4317. If empty,
	// traces are still made, so that their ids are in records and logs, but
	// they are not sent anywhere, and neither are logs.
	OTLPEndpoint string
	// Failing is called when traces or logs can't be sent to the collector, and with nil
	// when that works again; may be nil.
	Failing    func(what string, err error)
	TraceRatio float64 // share of new traces that are sampled, 0 to 1
	// Full is called when a counter has more series than are kept, and with nil when it has
	// not any more; may be nil.
	Full func(metric string, err error)
	Now  func() time.Time // for series that no longer grow; nil: time.Now
}

// Telemetry holds the providers.
type Telemetry struct {
	traces   *sdktrace.TracerProvider
	metrics  *sdkmetric.MeterProvider
	logs     *sdklog.LoggerProvider // nil: logs are not sent
	registry *prometheus.Registry
	counters *counters
}

// Start makes the providers; Shutdown ends them.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	about := resource.NewSchemaless(
		attribute.String("service.namespace", "frostwatch"), attribute.String("service.name", o.Service),
		attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance))
	traces := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.TraceRatio))),
	}
	var logs *sdklog.LoggerProvider
	if o.OTLPEndpoint != "" {
		if err := config.CheckCollector(o.OTLPEndpoint); err != nil {
			return nil, fmt.Errorf("telemetry.otlp_endpoint: %w", err)
		}
		sender, err := spanSender(ctx, o)
		if err != nil {
			return nil, err
		}
		if logs, err = logSender(ctx, o, about); err != nil {
			return nil, errors.Join(err, sender.Shutdown(ctx))
		}
		traces = append(traces, sdktrace.WithBatcher(sender))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(heaps()...)
	registry.MustRegister(buildInfo(o))
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("start metrics: %w", err)
	}
	return &Telemetry{
		traces:   sdktrace.NewTracerProvider(traces...),
		metrics:  sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(maxSeries)),
		logs:     logs,
		registry: registry,
		counters: newCounters(o.Now, o.Full),
	}, nil
}

// buildInfo is a gauge that is always 1; dashboards use it to join by version.
func buildInfo(o Options) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "frostwatch_build_info", Help: "1, with what runs as labels",
		ConstLabels: prometheus.Labels{"service": o.Service, "version": o.Version, "go_version": runtime.Version()},
	})
	g.Set(1)
	return g
}

// Tracer returns a stage's tracer.
func (t *Telemetry) Tracer(name string) trace.Tracer { return t.traces.Tracer(name) }

// Meter returns a stage's meter.
func (t *Telemetry) Meter(name string) metric.Meter {
	return forgetting{t.metrics.Meter(name), name, t.counters}
}

// Propagator carries trace ids through Kafka headers, as W3C Trace Context.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { return propagation.TraceContext{} }

// Handler serves the metrics in Prometheus's format, or in that of OpenMetrics to those who
// ask for it: it alone has exemplars, by which a latency leads to a trace.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry, EnableOpenMetrics: true})
}

// Shutdown sends what has not been sent yet and stops.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	// At the same time: a collector that is away takes all of ctx for each.
	logged := make(chan error, 1)
	go func() {
		if t.logs == nil {
			logged <- nil
			return
		}
		logged <- t.logs.Shutdown(ctx)
	}()
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx), <-logged)
}
