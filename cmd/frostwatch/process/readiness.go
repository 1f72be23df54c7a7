package process

import (
	"context"
	"maps"
	"slices"
	"time"
)

// lookEvery is how often the process looks at its own readiness, for the log.
const lookEvery = 2 * time.Second

// logReadiness logs when problems come and go: once at each edge, whoever
// reported them, so that nobody needs to ask /readyz. What is starting is no
// problem yet for a while.
func (p *Process) logReadiness(ctx context.Context) error {
	const patience = 15 * time.Second
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	changes := p.reporter.changes()
	begun, known := time.Now(), map[string]string{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-tick.C:
		}
		if now := p.reporter.look(); time.Since(begun) > patience || len(now.Problems) == 0 {
			known = p.logProblems(ctx, known, now.Problems)
			begun = time.Time{}
		}
	}
}

// logProblems logs how what is wrong now differs from what was known.
func (p *Process) logProblems(ctx context.Context, known, now map[string]string) map[string]string {
	for _, part := range slices.Sorted(maps.Keys(now)) {
		if _, old := known[part]; !old {
			p.log.ErrorContext(ctx, "not ready", "part", part, "problem", now[part])
		}
	}
	for _, part := range slices.Sorted(maps.Keys(known)) {
		if _, still := now[part]; !still {
			p.log.WarnContext(ctx, "ready again", "part", part, "problem", known[part])
		}
	}
	return now
}
