package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/frostwatch/frostwatch/internal/config"
)

// A collector that is away must not break a log in JSON, nor fill it.
func TestErrorsOfOpenTelemetryAreLogged(t *testing.T) {
	var out bytes.Buffer
	logOTelErrors(slog.New(slog.NewJSONHandler(&out, nil)))
	t.Cleanup(func() { logOTelErrors(slog.New(slog.DiscardHandler)) })
	for range 3 {
		otel.Handle(errors.New("traces export: connection refused\x1b[2J"))
	}
	var line struct{ Level, Msg, Error string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	if line.Level != "WARN" || line.Error == "" || bytes.Count(out.Bytes(), []byte("\n")) != 1 || bytes.ContainsRune(out.Bytes(), '\x1b') {
		t.Errorf("logged %s", out.Bytes())
	}
}

// A stop is no failure because a collector is away.
func TestAStopWithoutItsCollector(t *testing.T) {
	c := config.Default()
	c.Kafka, c.Redis.Address, c.Telemetry.OTLPEndpoint = c.Kafka.At("127.0.0.1:1"), "127.0.0.1:1", "http://127.0.0.1:1"
	p, err := Open(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler), Service: "test"})
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.tel.Tracer("test").Start(t.Context(), "one that can't be sent")
	span.End()
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
