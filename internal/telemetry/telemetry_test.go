package telemetry_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestMetricsAreServed(t *testing.T) {
	tel := start(t, telemetry.Options{Service: "frostwatch-infer", Version: "1.2.3"})
	i := telemetry.Instruments{Meter: tel.Meter("infer")}
	i.Counter("frostwatch_clips", "clips").Add(context.Background(), 3)
	i.Counter("frostwatch_clips_lost", "not counted yet")
	if err := i.Err(); err != nil {
		t.Fatal(err)
	}
	body := scrape(t, tel)
	for _, want := range []string{"frostwatch_clips_total", " 3\n", "frostwatch_clips_lost_total 0\n", "frostwatch_build_info{", `version="1.2.3"`, "go_goroutines", "process_open_fds", `service_name="frostwatch-infer"`, `service_version="1.2.3"`} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %q", want)
		}
	}
	if strings.Contains(body, "otel_scope") {
		t.Errorf("otel_scope is on the series of\n%s", body)
	}
}

// Stages of one process, as in `up`, and tests that run in parallel must not share
// providers.
func TestNothingIsGlobal(t *testing.T) {
	tracer, meter, propagator := otel.GetTracerProvider(), otel.GetMeterProvider(), otel.GetTextMapPropagator()
	start(t, telemetry.Options{Service: "one"})
	start(t, telemetry.Options{Service: "two"})
	if tracer != otel.GetTracerProvider() || meter != otel.GetMeterProvider() || propagator != otel.GetTextMapPropagator() {
		t.Error("Start has set a global provider")
	}
}

// A trace continues in the next process, whatever that process samples itself.
func TestTraceGoesOnAcrossProcesses(t *testing.T) {
	here := start(t, telemetry.Options{Service: "framer", TraceRatio: 1})
	there := start(t, telemetry.Options{Service: "infer", TraceRatio: 0})
	ctx, first := here.Tracer("framer").Start(context.Background(), "clip")
	defer first.End()
	headers := propagation.MapCarrier{}
	here.Propagator().Inject(ctx, headers)
	_, second := there.Tracer("infer").Start(there.Propagator().Extract(context.Background(), headers), "recognise")
	defer second.End()
	if first.SpanContext().TraceID() != second.SpanContext().TraceID() {
		t.Errorf("trace %s became %s", first.SpanContext().TraceID(), second.SpanContext().TraceID())
	}
	if !second.SpanContext().IsSampled() {
		t.Error("a trace that was sampled at its start is not continued")
	}
	_, own := there.Tracer("infer").Start(context.Background(), "own")
	defer own.End()
	if own.SpanContext().IsSampled() {
		t.Error("sampled at ratio 0")
	}
}

// collect is an OTLP collector that stores the names of spans.
type collect struct {
	collector.UnimplementedTraceServiceServer
	mu   sync.Mutex
	seen []string // "service span"
}

func (c *collect) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range r.ResourceSpans {
		service := ""
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				c.seen = append(c.seen, service+" "+span.Name)
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestShutdownSendsTheLastSpans(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, server := &collect{}, grpc.NewServer()
	collector.RegisterTraceServiceServer(server, got)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tel, err := telemetry.Start(ctx, telemetry.Options{Service: "frostwatch-infer", OTLPEndpoint: "http://" + l.Addr().String(), TraceRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("infer").Start(ctx, "recognise")
	span.End()
	if err := tel.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	if len(got.seen) != 1 || got.seen[0] != "frostwatch-infer recognise" {
		t.Errorf("the collector saw %q", got.seen)
	}
}

// A collector that is down delays neither the start of a process nor, beyond the
// deadline, its end.
func TestCollectorAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.Start(context.Background(), telemetry.Options{Service: "x", OTLPEndpoint: "http://" + l.Addr().String(), TraceRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("x").Start(context.Background(), "x")
	span.End()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = tel.Shutdown(ctx) // the span is lost, with an error or without
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutdown took %v", took)
	}
	// The exporter gives up within its own 10 s and leaves nothing running.
	for deadline := time.Now().Add(40 * time.Second); goleak.Find() != nil; {
		if time.Now().After(deadline) {
			t.Fatal(goleak.Find())
		}
	}
}

func TestEndpointErrorsKeepTheSecret(t *testing.T) {
	for _, endpoint := range []string{"host:4317", "grpc://u:secret@host:4317", "http://u:secret@ho st", "://secret", "http://"} {
		_, err := telemetry.Start(context.Background(), telemetry.Options{Service: "x", OTLPEndpoint: endpoint})
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "otlp_endpoint") {
			t.Errorf("endpoint %q: error %v, want one that names the key and no secret", endpoint, err)
		}
	}
}
