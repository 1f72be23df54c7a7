package process

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// lookEvery is how often the process checks its own readiness, for the log.
const lookEvery = 2 * time.Second

// startTime is how long the process may take to start before that is logged as a
// problem.
const startTime = 15 * time.Second

// logReadiness logs each problem once when it begins and once when it ends,
// whichever part reported it, so that nobody needs to poll /readyz. Warnings are
// logged by the parts that report them. Where a person watches, both are lines for
// that person.
func (p *Process) logReadiness(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	changes := p.reporter.changes()
	patience := time.Now().Add(startTime)
	known := condition{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-tick.C:
		}
		now := p.reporter.look()
		if len(now.Problems) > 0 && time.Now().Before(patience) {
			now.Problems = now.lasting(known)
		} else {
			patience = time.Time{}
		}
		p.reportProblems(ctx, known.Problems, now.Problems)
		p.reportWarnings(known.Warnings, now.Warnings)
		known = now
	}
}

// lasting are the problems that don't pass by themselves when everything has
// started: those that were logged before, and refusals.
func (c condition) lasting(known condition) map[string]string {
	out := map[string]string{}
	for part, problem := range c.Problems {
		if _, was := known.Problems[part]; was || c.Refused[part] {
			out[part] = problem
		}
	}
	return out
}

func (p *Process) reportProblems(ctx context.Context, known, now map[string]string) {
	for _, part := range lacking(now, known) {
		if p.onTrouble != nil {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now[part]))
			continue
		}
		p.log.ErrorContext(ctx, "not ready", "part", part, "problem", now[part])
	}
	for _, part := range lacking(known, now) {
		if p.onTrouble != nil {
			p.onTrouble(Solved, part)
			continue
		}
		p.log.WarnContext(ctx, "ready again", "part", part, "problem", known[part])
	}
}

func (p *Process) reportWarnings(known, now map[string]string) {
	if p.onTrouble == nil {
		return
	}
	for _, part := range slices.Sorted(maps.Keys(now)) {
		if hasLine(part) && withoutNumbers(now[part]) != withoutNumbers(known[part]) {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now[part]))
		}
	}
	for _, part := range lacking(known, now) {
		if hasLine(part) {
			p.onTrouble(Solved, part)
		}
	}
}

// withoutNumbers removes digits, so that reasons that differ only in an amount,
// such as a growing delay, are equal.
func withoutNumbers(reason string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, reason)
}

// hasLine reports whether a warning is printed here. Cameras, the configuration and
// its cameras have lines of their own.
func hasLine(part string) bool {
	return part != partConfiguration && part != partFileCameras && !strings.HasPrefix(part, "camera ")
}

// lacking returns the parts of one that the other does not have, in order.
func lacking(one, other map[string]string) (parts []string) {
	for _, part := range slices.Sorted(maps.Keys(one)) {
		if _, has := other[part]; !has {
			parts = append(parts, part)
		}
	}
	return parts
}
