package telemetry

import (
	"encoding"
	"fmt"
	"log/slog"
)

// plain returns a record whose values are numbers, times and texts alone, each text the one
// that the log has: a type that hides a secret when it is printed hides it here, too.
func plain(r slog.Record) slog.Record {
	out := slog.NewRecord(r.Time, r.Level, cut(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(plainAttr(a))
		return true
	})
	return out
}

func plainAll(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = plainAttr(a)
	}
	return out
}

func plainAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		v = slog.GroupValue(plainAll(v.Group())...)
	case slog.KindAny:
		v = slog.StringValue(cut(textOf(v.Any())))
	case slog.KindString:
		v = slog.StringValue(cut(v.String()))
	case slog.KindDuration:
		v = slog.StringValue(v.Duration().String())
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// textOf prints a value as slog's text does.
func textOf(v any) string {
	if m, is := v.(encoding.TextMarshaler); is {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprintf("%+v", v)
}
