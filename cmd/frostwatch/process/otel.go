package process

import (
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/frostwatch/frostwatch/topics"
)

// otelEvery is how often it is logged that OpenTelemetry can't do its work, which it may
// say each few seconds. A collector that is away is reported by itself (notSent).
const otelEvery = 5 * time.Minute

// otelErrors logs what OpenTelemetry would print past the log.
type otelErrors struct {
	log *slog.Logger

	mu     sync.Mutex
	logged time.Time
}

// Handle is OpenTelemetry's interface.
func (o *otelErrors) Handle(err error) {
	if err == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.logged) >= otelEvery {
		o.logged = now
		o.log.Warn("OpenTelemetry can't do its work", "error", topics.Clean(err.Error()), "again", "in five minutes, if it goes on")
	}
}

func logOTelErrors(log *slog.Logger) { otel.SetErrorHandler(&otelErrors{log: log}) }
