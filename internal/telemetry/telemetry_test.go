package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	logcollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestMetricsAreServed(t *testing.T) {
	tel := start(t, telemetry.Options{Service: "frostwatch-infer", Version: "1.2.3"})
	i := telemetry.Instruments{Meter: tel.Meter("infer")}
	i.Counter("frostwatch_clips", "{clip}", "clips").Add(context.Background(), 3)
	i.Counter("frostwatch_clips_lost", "{clip}", "not counted yet")
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

// collect is an OTLP collector that stores the names of spans, and what is logged.
type collect struct {
	collector.UnimplementedTraceServiceServer
	logs
	mu   sync.Mutex
	seen []string // "service span"
}

// logs is apart, since both services call their method Export.
type logs struct {
	logcollector.UnimplementedLogsServiceServer
	mu   sync.Mutex
	seen []*logv1.LogRecord
}

func (l *logs) Export(_ context.Context, r *logcollector.ExportLogsServiceRequest) (*logcollector.ExportLogsServiceResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, of := range r.ResourceLogs {
		for _, scope := range of.ScopeLogs {
			l.seen = append(l.seen, scope.LogRecords...)
		}
	}
	return &logcollector.ExportLogsServiceResponse{}, nil
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

// startCollector returns a collector and its address.
func startCollector(t *testing.T) (*collect, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, server := &collect{}, grpc.NewServer()
	collector.RegisterTraceServiceServer(server, got)
	logcollector.RegisterLogsServiceServer(server, &got.logs)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return got, "http://" + l.Addr().String()
}

func TestShutdownSendsTheLastSpansAndLines(t *testing.T) {
	got, address := startCollector(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tel, err := telemetry.Start(ctx, telemetry.Options{Service: "frostwatch-infer", OTLPEndpoint: address, TraceRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	var here bytes.Buffer
	local, err := telemetry.NewLogger(&here, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	log := tel.Logger(local).With("camera", "lobby", "login", hidden{"s3cret"})
	traced, span := tel.Tracer("infer").Start(ctx, "recognise")
	log.InfoContext(traced, "opened", "of", slog.GroupValue(slog.Any("url", hidden{"s3cret"})), "error", errors.New("no route"), "took", 3*time.Second, "frames", 7)
	log.DebugContext(traced, "a level that is not logged is not sent")
	span.End()
	if err := tel.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if len(got.seen) != 1 || got.seen[0] != "frostwatch-infer recognise" {
		t.Errorf("the collector saw %q", got.seen)
	}
	if len(got.logs.seen) != 1 {
		t.Fatalf("the collector got %d lines", len(got.logs.seen))
	}
	line := got.logs.seen[0]
	if id := span.SpanContext().TraceID(); string(line.TraceId) != string(id[:]) || line.Body.GetStringValue() != "opened" || line.SeverityText != "INFO" {
		t.Errorf("line %v, want trace %s", line, id)
	}
	for _, want := range []string{`"camera"`, `"lobby"`, `"no route"`, `"3s"`, "int_value:7", `"(hidden)"`} {
		if text := strings.ReplaceAll(line.String(), "  ", " "); !strings.Contains(text, want) {
			t.Errorf("line %s lacks %s", text, want)
		}
	}
	if strings.Contains(line.String(), "s3cret") || strings.Contains(here.String(), "s3cret") || !strings.Contains(here.String(), "opened") {
		t.Errorf("sent %v, logged %s", line, here.String())
	}
}

// hidden is a value that its text does not show.
type hidden struct{ secret string }

func (hidden) String() string { return "(hidden)" }

// Who scrapes in the format of OpenMetrics learns by which trace a latency came about; who
// does not gets the usual format.
func TestALatencyLeadsToItsTrace(t *testing.T) {
	tel := start(t, telemetry.Options{Service: "frostwatch-infer", TraceRatio: 1})
	i := telemetry.Instruments{Meter: tel.Meter("infer")}
	latency := i.Seconds("frostwatch.latency", "latency", 1, 10)
	ctx, span := tel.Tracer("infer").Start(context.Background(), "recognise")
	latency.Record(ctx, 2)
	span.End()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, r)
	bucket := `frostwatch_latency_seconds_bucket{le="10.0"} 1 # {`
	_, exemplar, has := strings.Cut(w.Body.String(), bucket)
	exemplar, _, _ = strings.Cut(exemplar, "\n")
	if !has || !strings.Contains(exemplar, `trace_id="`+span.SpanContext().TraceID().String()+`"`) || !strings.HasSuffix(w.Body.String(), "# EOF\n") {
		t.Errorf("exemplar %q, want trace %s, in\n%s", exemplar, span.SpanContext().TraceID(), w.Body.String())
	}
	if usual := scrape(t, tel); strings.Contains(usual, "trace_id") {
		t.Errorf("exemplars are in the usual format:\n%s", usual)
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
	failed := make(chan string, 9)
	tel, err := telemetry.Start(context.Background(), telemetry.Options{
		Service: "x", OTLPEndpoint: "http://" + l.Addr().String(), TraceRatio: 1,
		Failing: func(what string, err error) { failed <- fmt.Sprint(what, " ", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	local, err := telemetry.NewLogger(io.Discard, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	tel.Logger(local).Error("x")
	_, span := tel.Tracer("x").Start(context.Background(), "x")
	span.End()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = tel.Shutdown(ctx) // the span is lost, with an error or without
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutdown took %v", took)
	}
	for range 2 {
		select {
		case what := <-failed:
			if !strings.HasPrefix(what, "traces ") && !strings.HasPrefix(what, "logs ") {
				t.Errorf("%s", what)
			}
		case <-time.After(10 * time.Second):
			t.Error("that the collector is away is not reported of both traces and logs")
		}
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
