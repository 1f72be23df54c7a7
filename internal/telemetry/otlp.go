package telemetry

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// spanSender sends spans to a collector.
func spanSender(ctx context.Context, o Options) (sdktrace.SpanExporter, error) {
	e, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(o.OTLPEndpoint))
	if err != nil {
		return nil, fmt.Errorf("start trace export: %w", err)
	}
	return spans{e, &sending{what: "traces", failing: o.Failing}}, nil
}

// logSender keeps what is logged in a bounded queue and sends it to a collector.
func logSender(ctx context.Context, o Options, about *resource.Resource) (*sdklog.LoggerProvider, error) {
	e, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpointURL(o.OTLPEndpoint))
	if err != nil {
		return nil, fmt.Errorf("start log export: %w", err)
	}
	queue := sdklog.NewBatchProcessor(lines{e, &sending{what: "logs", failing: o.Failing}})
	return sdklog.NewLoggerProvider(sdklog.WithResource(about), sdklog.WithProcessor(queue)), nil
}

// sending reports when the sending of one kind of data begins to fail, and when it works
// again. No error goes further: OpenTelemetry would print it past the log.
type sending struct {
	what    string
	failing func(what string, err error)

	mu   sync.Mutex
	down bool
}

func (s *sending) note(err error) error {
	s.mu.Lock()
	changed := s.down != (err != nil)
	s.down = err != nil
	s.mu.Unlock()
	if changed && s.failing != nil {
		s.failing(s.what, err)
	}
	return nil
}

type spans struct {
	sdktrace.SpanExporter
	*sending
}

func (s spans) ExportSpans(ctx context.Context, all []sdktrace.ReadOnlySpan) error {
	return s.note(s.SpanExporter.ExportSpans(ctx, all))
}

type lines struct {
	sdklog.Exporter
	*sending
}

func (l lines) Export(ctx context.Context, all []sdklog.Record) error {
	return l.note(l.Exporter.Export(ctx, all))
}
