package ingest

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// pace lets a recording play at its own speed.
type pace struct {
	start time.Time
	on    bool
}

// wait waits until a frame is due; false where ctx ends before. at is the frame's
// time since the recording's first.
func (p *pace) wait(ctx context.Context, at time.Duration) bool {
	if !p.on {
		return ctx.Err() == nil
	}
	return pause.For(ctx, time.Until(p.start.Add(at)))
}
