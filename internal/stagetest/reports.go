package stagetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Reports is a telemetry.Reporter that records what a stage reports.
type Reports struct {
	mu       sync.Mutex
	problems map[string]problem
	warnings map[string]error // those that hold
	checks   map[string]func() error
	describe []func(*topics.Worker)
}

// problem is the latest report about a part.
type problem struct {
	err error // nil: it works
	// seen is set by AwaitProblem, which waits for a report that is newer.
	seen bool
}

var _ telemetry.Reporter = (*Reports)(nil)

// NewReports has nothing recorded.
func NewReports() *Reports {
	return &Reports{problems: map[string]problem{}, warnings: map[string]error{}, checks: map[string]func() error{}}
}

// Problem records a report, also that there is no problem.
func (r *Reports) Problem(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems[part] = problem{err: err}
}

// Warning records a warning until it is over.
func (r *Reports) Warning(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(r.warnings, part); err != nil {
		r.warnings[part] = err
	}
}

// Incident records a warning.
func (r *Reports) Incident(part string, err error) { r.Warning(part, err) }

// Check keeps the function for Ready.
func (r *Reports) Check(part string, ask func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks[part] = ask
}

// Describe keeps the function for Worker.
func (r *Reports) Describe(fill func(*topics.Worker)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.describe = append(r.describe, fill)
}

// AwaitProblem waits for a report about a part that no earlier call has seen and
// that contains want; want "" is a report that the part works.
func (r *Reports) AwaitProblem(t testing.TB, part, want string) {
	t.Helper()
	Await(t, fmt.Sprintf("a report on %s: %q", part, want), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		p, ok := r.problems[part]
		if !ok || p.seen {
			return false
		}
		r.problems[part] = problem{p.err, true}
		if p.err == nil || want == "" {
			return p.err == nil && want == ""
		}
		return strings.Contains(p.err.Error(), want)
	})
}

// AwaitWarning waits until the warning about a part contains want; want "" waits until
// there is none.
func (r *Reports) AwaitWarning(t testing.TB, part, want string) {
	t.Helper()
	Await(t, fmt.Sprintf("a warning about %s: %q", part, want), func() bool {
		err := r.WarningOf(part)
		if err == nil || want == "" {
			return err == nil && want == ""
		}
		return strings.Contains(err.Error(), want)
	})
}

// WarningOf is the warning that holds about a part, or nil.
func (r *Reports) WarningOf(part string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.warnings[part]
}

// Warnings is how many warnings hold.
func (r *Reports) Warnings() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.warnings)
}

// Ready asks the check of a part.
func (r *Reports) Ready(part string) error {
	r.mu.Lock()
	ask := r.checks[part]
	r.mu.Unlock()
	if ask == nil {
		return fmt.Errorf("no check of %s is registered", part)
	}
	return ask()
}

// Worker is the record that the stages would describe themselves in.
func (r *Reports) Worker() (w topics.Worker) {
	r.mu.Lock()
	all := r.describe
	r.mu.Unlock()
	for _, fill := range all {
		fill(&w)
	}
	return w
}
