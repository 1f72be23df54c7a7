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

// lookEvery is how often the process looks at its own readiness, for the log.
const lookEvery = 2 * time.Second

// startTime is for how long what is starting is no problem yet.
const startTime = 15 * time.Second

// logReadiness logs when problems come and go: once at each edge, whoever
// reported them, so that nobody needs to ask /readyz. Warnings are logged by who
// reports them. Where a person reads along, both are lines for them.
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
		p.tellProblems(ctx, known.Problems, now.Problems)
		p.tellWarnings(known.Warnings, now.Warnings)
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

func (p *Process) tellProblems(ctx context.Context, known, now map[string]string) {
	for _, part := range lacking(now, known) {
		if p.onTrouble != nil {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now[part]))
			continue
		}
		p.log.ErrorContext(ctx, "not ready", "part", part, "problem", now[part])
	}
	for _, part := range lacking(known, now) {
		if p.onTrouble != nil {
			p.onTrouble(Solved, part+": works again")
			continue
		}
		p.log.WarnContext(ctx, "ready again", "part", part, "problem", known[part])
	}
}

func (p *Process) tellWarnings(known, now map[string]string) {
	if p.onTrouble == nil {
		return
	}
	for _, part := range slices.Sorted(maps.Keys(now)) {
		if told(part) && withoutNumbers(now[part]) != withoutNumbers(known[part]) {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now[part]))
		}
	}
	for _, part := range lacking(known, now) {
		if told(part) {
			p.onTrouble(Solved, part+": nothing is wrong any more")
		}
	}
}

// withoutNumbers makes one reason of those that differ by how much alone, such as
// a delay that grows.
func withoutNumbers(reason string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, reason)
}

// told reports whether a warning is printed here. Cameras and the configuration
// print lines of their own.
func told(part string) bool { return part != partConfiguration && !strings.HasPrefix(part, "camera ") }

// lacking are the parts of one that the other has not, in order.
func lacking(one, other map[string]string) (parts []string) {
	for _, part := range slices.Sorted(maps.Keys(one)) {
		if _, has := other[part]; !has {
			parts = append(parts, part)
		}
	}
	return parts
}
