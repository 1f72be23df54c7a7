// Package telemetry sets up the traces, metrics and logs of one process.
// Nothing is global: stages are passed their tracer, meter and logger.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options of a process's telemetry.
type Options struct {
	Service string // "frostwatch-infer"
	Version string
	// OTLPEndpoint is a collector's gRPC address, http://host:4317. If empty,
	// traces are still made, so that their ids are in records and logs, but
	// they are not sent anywhere.
	OTLPEndpoint string
	TraceRatio   float64 // share of new traces that are sampled, 0 to 1
}

// Telemetry holds the providers.
type Telemetry struct {
	traces   *sdktrace.TracerProvider
	metrics  *sdkmetric.MeterProvider
	registry *prometheus.Registry
}

// Start makes the providers; Shutdown ends them.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	about := resource.NewSchemaless(
		attribute.String("service.name", o.Service), attribute.String("service.version", o.Version))
	traces := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.TraceRatio))),
	}
	if o.OTLPEndpoint != "" {
		exporter, err := newExporter(ctx, o.OTLPEndpoint)
		if err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithBatcher(exporter))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(buildInfo(o))
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("start metrics: %w", err)
	}
	return &Telemetry{
		traces:   sdktrace.NewTracerProvider(traces...),
		metrics:  sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(reader)),
		registry: registry,
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

func newExporter(ctx context.Context, endpoint string) (sdktrace.SpanExporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("telemetry.otlp_endpoint: want http://host:port or https://host:port")
	}
	e, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("start trace export: %w", err)
	}
	return e, nil
}

// Tracer returns a stage's tracer.
func (t *Telemetry) Tracer(name string) trace.Tracer { return t.traces.Tracer(name) }

// Meter returns a stage's meter.
func (t *Telemetry) Meter(name string) metric.Meter { return t.metrics.Meter(name) }

// Propagator carries trace ids through Kafka headers, as W3C Trace Context.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { return propagation.TraceContext{} }

// Handler serves the metrics in Prometheus's format.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry})
}

// Shutdown sends what has not been sent yet and stops.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx))
}
