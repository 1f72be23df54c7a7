package framer

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// losses logs and reports when a camera begins to lose clips, and when that is over,
// once each: Kafka may be away for hours.
type losses struct {
	log      *slog.Logger
	reporter telemetry.Reporter
	part     string // the camera's name in the worker's readiness

	mu     sync.Mutex
	reason string // of the latest, empty when clips get through
	clips  int    // lost since they last did
}

var errQueueFull = errors.New("Kafka takes no clips: of those that wait, the oldest are dropped") //nolint:staticcheck // Kafka is a name

// add counts a lost clip.
func (l *losses) add(ctx context.Context, reason, clip string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clips++
	if reason == l.reason {
		return
	}
	l.reason = reason
	l.log.WarnContext(ctx, "clips are lost", "reason", reason, "clip", clip, "error", err)
	if reason == gapQueueFull || reason == gapRefused {
		l.reporter.Warning(l.part, err)
	}
}

// end is called when clips get through again.
func (l *losses) end(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == "" {
		return
	}
	l.log.InfoContext(ctx, "clips are published again", "lost", l.clips)
	l.reason, l.clips = "", 0
	l.reporter.Warning(l.part, nil)
}

// forget withdraws the warning about the camera, which was stopped.
func (l *losses) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != "" {
		l.log.Warn("camera stopped while clips were lost", "reason", l.reason, "lost", l.clips)
		l.reason, l.clips = "", 0
		l.reporter.Warning(l.part, nil)
	}
}
