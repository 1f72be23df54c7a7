package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func start(t *testing.T, o telemetry.Options) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tel
}

// A line has the ids of its trace even if the trace is neither sampled nor sent.
func TestLinesCarryTheIDsOfTheirTrace(t *testing.T) {
	tracer := start(t, telemetry.Options{Service: "test", TraceRatio: 0}).Tracer("test")
	ctx, span := tracer.Start(context.Background(), "clip")
	defer span.End()
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	log = log.With("camera", "lobby")
	log.InfoContext(ctx, "inside")
	log.Info("outside")
	var inside, outside map[string]any
	lines := json.NewDecoder(&out)
	for _, into := range []*map[string]any{&inside, &outside} {
		if err := lines.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	id := span.SpanContext()
	if inside["trace_id"] != id.TraceID().String() || inside["span_id"] != id.SpanID().String() || inside["camera"] != "lobby" {
		t.Errorf("line %v, want trace %s, span %s and the camera", inside, id.TraceID(), id.SpanID())
	}
	if _, has := outside["trace_id"]; has {
		t.Errorf("line %v of no span has a trace", outside)
	}
}

func TestNewLogger(t *testing.T) {
	for _, c := range []struct {
		level, format string
		lines         []string // that come out of debug, info, warn, error
		err           string
	}{
		{level: "debug", format: "text", lines: []string{"d", "i", "w", "e"}},
		{level: "info", format: "json", lines: []string{"i", "w", "e"}},
		{level: "warn", format: "text", lines: []string{"w", "e"}},
		{level: "error", format: "json", lines: []string{"e"}},
		{level: "loud", format: "text", err: `log level "loud": want debug, info, warn or error`},
		{level: "info", format: "xml", err: `log format "xml": want text or json`},
	} {
		t.Run(c.level+" "+c.format, func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.NewLogger(&out, c.level, c.format)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("d")
			log.Info("i")
			log.Warn("w")
			log.Error("e")
			if n := strings.Count(out.String(), "\n"); n != len(c.lines) {
				t.Errorf("%d lines, want those of %v:\n%s", n, c.lines, out.String())
			}
			if isJSON := json.Valid(bytes.SplitN(out.Bytes(), []byte("\n"), 2)[0]); isJSON != (c.format == "json") {
				t.Errorf("JSON is %v for format %s", isJSON, c.format)
			}
		})
	}
}
