package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// reporter is the telemetry.Reporter of all stages of a process. A part may have a
// problem and a warning at the same time; the newest of each counts.
type reporter struct {
	mu       sync.Mutex
	watchers []chan struct{}
	problems map[string]error
	warnings map[string]error
	recent   map[string]incident
	now      func() time.Time
	checks   []check
	describe []func(*topics.Worker)
}

// check is called whenever readiness is checked.
type check struct {
	part string
	ask  func() error
}

// newReporter begins with each of the parts having the problem that it is starting.
func newReporter(parts ...string) *reporter {
	r := &reporter{problems: map[string]error{}, warnings: map[string]error{}, recent: map[string]incident{}, now: time.Now}
	for _, p := range parts {
		r.problems[p] = errStarting
	}
	return r
}

var errStarting = errors.New("starting")

// Problem is that of telemetry.Reporter.
func (r *reporter) Problem(part string, err error) { r.note(r.problems, part, err) }

// Warning is that of telemetry.Reporter.
func (r *reporter) Warning(part string, err error) { r.note(r.warnings, part, err) }

func (r *reporter) note(in map[string]error, part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := in[part]
	if err == nil {
		delete(in, part)
	} else {
		in[part] = err
	}
	if (before == nil) == (err == nil) && (err == nil || before.Error() == err.Error()) {
		return
	}
	r.notify()
}

// notify needs the lock.
func (r *reporter) notify() {
	for _, w := range r.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// changes returns a channel that holds one token after a problem or warning has
// come, gone or changed.
func (r *reporter) changes() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := make(chan struct{}, 1)
	r.watchers = append(r.watchers, w)
	return w
}

// Check is that of telemetry.Reporter.
func (r *reporter) Check(part string, ask func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, check{part, ask})
}

// Describe is that of telemetry.Reporter.
func (r *reporter) Describe(fill func(*topics.Worker)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.describe = append(r.describe, fill)
}

// condition is what is wrong, by part.
type condition struct {
	Problems, Warnings map[string]string
	// Refused are the problems that are refusals by Kafka.
	Refused map[string]bool
}

// look calls every check, and adds its error to the problem that was reported for
// the same part. The texts are cleaned.
func (r *reporter) look() condition {
	r.mu.Lock()
	checks := slices.Clone(r.checks)
	r.mu.Unlock()
	// Not under the lock: a check may take a lock of its stage, under which the
	// stage reports.
	answers := make([]error, len(checks))
	for i, c := range checks {
		answers[i] = c.ask()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := condition{Problems: texts(r.problems), Warnings: texts(r.warnings), Refused: map[string]bool{}}
	for part, err := range r.problems {
		if errors.As(err, new(*refusal)) {
			out.Refused[part] = true
		}
	}
	r.list(out.Warnings)
	for i, c := range checks {
		if answers[i] != nil {
			out.Problems[c.part] = both(out.Problems[c.part], topics.Clean(answers[i].Error()))
		}
	}
	return out
}

// both joins two reasons, either of which may be empty or contain the other.
func both(one, other string) string {
	switch {
	case strings.Contains(other, one):
		return other
	case strings.Contains(one, other):
		return one
	}
	return topics.Clean(one + "; " + other)
}

func texts(of map[string]error) map[string]string {
	out := make(map[string]string, len(of))
	for part, err := range of {
		out[topics.Clean(part)] = topics.Clean(err.Error())
	}
	return out
}

// started removes the problem that a part is starting, unless another was reported
// for it.
func (r *reporter) started(part string) {
	r.mu.Lock()
	starting := errors.Is(r.problems[part], errStarting)
	r.mu.Unlock()
	if starting {
		r.Problem(part, nil)
	}
}

// waits adds to every part that is starting what it waits for.
func (r *reporter) waits(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for part, err := range r.problems {
		if errors.Is(err, errStarting) {
			r.problems[part] = fmt.Errorf("%w: waits for %s", errStarting, what)
		}
	}
}

// fill adds to a worker's record what the stages report.
func (r *reporter) fill(w *topics.Worker) {
	r.mu.Lock()
	describe := slices.Clone(r.describe)
	r.mu.Unlock()
	for _, d := range describe {
		d(w)
	}
	now := r.look()
	w.Problems, w.Warnings = now.Problems, now.Warnings
}
