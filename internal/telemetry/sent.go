package telemetry

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
)

// Logger returns a logger that also sends to the collector what log logs; log itself where
// there is no collector. What is sent has passed the same levels, and the same hands that
// keep secrets out of lines.
func (t *Telemetry) Logger(log *slog.Logger) *slog.Logger {
	if t.logs == nil {
		return log
	}
	return slog.New(sent{log.Handler(), otelslog.NewHandler("frostwatch", otelslog.WithLoggerProvider(t.logs))})
}

// sent logs here and sends there.
type sent struct{ here, there slog.Handler }

func (s sent) Enabled(ctx context.Context, level slog.Level) bool { return s.here.Enabled(ctx, level) }

func (s sent) Handle(ctx context.Context, r slog.Record) error {
	err := s.here.Handle(ctx, r.Clone())
	if errors.Is(err, errLeftOut) {
		return err
	}
	_ = s.there.Handle(ctx, plain(r)) // it only fills a queue
	return err
}

func (s sent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sent{s.here.WithAttrs(attrs), s.there.WithAttrs(plainAll(attrs))}
}

func (s sent) WithGroup(name string) slog.Handler {
	return sent{s.here.WithGroup(name), s.there.WithGroup(name)}
}
