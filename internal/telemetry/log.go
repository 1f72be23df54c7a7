package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger writes lines of the given format ("text" or "json") at or above
// level ("debug", "info", "warn", "error"). A line logged with a context that
// carries a span also carries its trace_id and span_id. Texts are cut at 2000 bytes; of lines
// with the same message, 600 a minute are written.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var at slog.Level
	if err := at.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: want debug, info, warn or error", level)
	}
	o := &slog.HandlerOptions{Level: at, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return short(a) }}
	told := &told{now: time.Now, messages: map[string]int{}}
	switch format {
	case "text":
		return slog.New(calm{traced{slog.NewTextHandler(w, o)}, told}), nil
	case "json":
		return slog.New(calm{traced{slog.NewJSONHandler(w, o)}, told}), nil
	}
	return nil, fmt.Errorf("log format %q: want text or json", format)
}

// traced adds the trace and span ids of the context.
type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return t.Handler.Handle(ctx, r)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
