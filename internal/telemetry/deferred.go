package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Deferred is the tracer and propagator of a process whose spans another one makes: it
// makes none, and passes on their attributes in place of a trace.
type Deferred struct{ noop.Tracer }

type deferredKey struct{}

// Start is that of trace.Tracer.
func (d Deferred) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	set := map[string]string{}
	c := trace.NewSpanStartConfig(o...)
	for _, a := range c.Attributes() {
		set[string(a.Key)] = a.Value.String()
	}
	return d.Tracer.Start(context.WithValue(ctx, deferredKey{}, set), name, o...)
}

// Attributes are those of the span that was started last in a context.
func (Deferred) Attributes(ctx context.Context) map[string]string {
	set, _ := ctx.Value(deferredKey{}).(map[string]string)
	return set
}

// Inject is that of propagation.TextMapPropagator.
func (Deferred) Inject(context.Context, propagation.TextMapCarrier) {}

// Extract is that of propagation.TextMapPropagator.
func (Deferred) Extract(ctx context.Context, _ propagation.TextMapCarrier) context.Context {
	return ctx
}

// Fields is that of propagation.TextMapPropagator.
func (Deferred) Fields() []string { return nil }
