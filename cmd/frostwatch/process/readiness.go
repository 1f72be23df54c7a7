package process

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// lookEvery is how often the process checks its own readiness, for the log.
const lookEvery = 2 * time.Second

// startTime is how long the process may take to start before that is logged as a
// problem.
const startTime = 15 * time.Second

// changeTime is the shortest time between two lines about one part while its problem,
// or its warning, goes on: what a problem says may alternate.
const changeTime = 10 * time.Second

// report is the newest line about a part.
type report struct {
	text string
	at   time.Time
}

// reports are the newest lines, by part, about what is wrong now.
type reports struct{ problems, warnings map[string]report }

func newReports() reports { return reports{map[string]report{}, map[string]report{}} }

// logReadiness logs each problem when it begins, when its reason becomes another, and
// when it ends, whichever part reported it, so that nobody needs to poll /readyz.
// Warnings are logged by the parts that report them. Where a person watches, both are
// lines for that person.
func (p *Process) logReadiness(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	changes := p.reporter.changes()
	patience := time.Now().Add(startTime)
	known := newReports()
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
		p.report(ctx, time.Now(), known, now)
	}
}

// lasting are the problems that don't pass by themselves when everything has
// started: those that were logged before, and refusals.
func (c condition) lasting(known reports) map[string]string {
	out := map[string]string{}
	for part, problem := range c.Problems {
		if _, was := known.problems[part]; was || c.Refused[part] {
			out[part] = problem
		}
	}
	return out
}

// report logs, or prints, how the condition differs from what was reported, and puts
// that into known.
func (p *Process) report(ctx context.Context, at time.Time, known reports, now condition) {
	for _, part := range begun(known.problems, now.Problems, at) {
		if p.onTrouble != nil {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now.Problems[part]))
			continue
		}
		p.log.ErrorContext(ctx, "not ready", "part", part, "problem", now.Problems[part])
	}
	for _, part := range ended(known.problems, now.Problems) {
		if p.onTrouble != nil {
			p.onTrouble(Solved, part)
		} else {
			p.log.WarnContext(ctx, "ready again", "part", part, "problem", known.problems[part].text)
		}
		delete(known.problems, part)
	}
	if p.onTrouble != nil {
		p.reportWarnings(at, known, now)
	}
}

func (p *Process) reportWarnings(at time.Time, known reports, now condition) {
	for _, part := range begun(known.warnings, now.Warnings, at) {
		if hasLine(part) {
			p.onTrouble(Trouble, fmt.Sprintf("%s: %s", part, now.Warnings[part]))
		}
	}
	for _, part := range ended(known.warnings, now.Warnings) {
		if hasLine(part) {
			p.onTrouble(Solved, part)
		}
		delete(known.warnings, part)
	}
}

// begun returns, in order, the parts of which something new is to be reported, and
// notes in known that it is.
func begun(known map[string]report, now map[string]string, at time.Time) (parts []string) {
	for _, part := range slices.Sorted(maps.Keys(now)) {
		was, reported := known[part]
		if reported && (withoutNumbers(was.text) == withoutNumbers(now[part]) || at.Sub(was.at) < changeTime) {
			continue
		}
		known[part] = report{now[part], at}
		parts = append(parts, part)
	}
	return parts
}

// ended returns, in order, the parts with which nothing is wrong any more.
func ended(known map[string]report, now map[string]string) (parts []string) {
	for _, part := range slices.Sorted(maps.Keys(known)) {
		if _, still := now[part]; !still {
			parts = append(parts, part)
		}
	}
	return parts
}

// numbers are amounts, with the unit of those that are times: "59s" becomes "1m0s".
var numbers = regexp.MustCompile(`(\d+(\.\d+)?(ns|µs|ms|s|m|h)?)+`)

// withoutNumbers replaces amounts, so that reasons that differ only in one, such as a
// growing delay, are equal.
func withoutNumbers(reason string) string { return numbers.ReplaceAllString(reason, "#") }

// hasLine reports whether a warning is printed here. Cameras, the configuration and
// its cameras have lines of their own.
func hasLine(part string) bool {
	return part != partConfiguration && part != partFileCameras && !strings.HasPrefix(part, "camera ")
}
