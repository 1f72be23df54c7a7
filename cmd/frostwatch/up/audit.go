package up

import (
	"context"
	"log/slog"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// audited logs what quiet does, and each line `audit` of the console by loud: who edited
// what is to be known, also where all else is printed as lines for people.
type audited struct{ quiet, loud slog.Handler }

func (h audited) Enabled(ctx context.Context, level slog.Level) bool {
	return h.quiet.Enabled(ctx, level) || h.loud.Enabled(ctx, level)
}

func (h audited) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "audit" {
		return h.loud.Handle(ctx, r)
	}
	if h.quiet.Enabled(ctx, r.Level) {
		return h.quiet.Handle(ctx, r)
	}
	return nil
}

func (h audited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return audited{h.quiet.WithAttrs(attrs), h.loud.WithAttrs(attrs)}
}

func (h audited) WithGroup(name string) slog.Handler {
	return audited{h.quiet.WithGroup(name), h.loud.WithGroup(name)}
}

// logger logs from a level on, and edits in any case.
func (u *up) logger(level string) (*slog.Logger, error) {
	quiet, err := telemetry.NewLogger(u.Err, level, u.cfg.Log.Format)
	if err != nil {
		return nil, err
	}
	loud, err := telemetry.NewLogger(u.Err, "info", u.cfg.Log.Format)
	if err != nil {
		return nil, err
	}
	return slog.New(audited{quiet.Handler(), loud.Handler()}), nil
}
