package process

import (
	"sync"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// modelReports passes reports about a model on to the process's Reporter while
// that model is in force. Warnings about a model that is still loading are kept
// until it is in force.
type modelReports struct {
	telemetry.Reporter
	mu       sync.Mutex
	inForce  bool
	warnings map[string]error
}

func (r *modelReports) active() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inForce
}

// Problem passes on a problem while the model is in force.
func (r *modelReports) Problem(part string, err error) {
	if r.active() {
		r.Reporter.Problem(part, err)
	}
}

// Warning passes on a warning once the model is in force.
func (r *modelReports) Warning(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warnings[part] = err; err == nil {
		delete(r.warnings, part)
	}
	if r.inForce {
		r.Reporter.Warning(part, err)
	}
}

// replace puts r in force in place of was. Warnings that both models have stay
// reported throughout.
func (r *modelReports) replace(was *modelReports) {
	was.mu.Lock()
	defer was.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	was.inForce, r.inForce = false, true
	for part, err := range r.warnings {
		r.Reporter.Warning(part, err)
	}
	for part := range was.warnings {
		if r.warnings[part] == nil {
			r.Reporter.Warning(part, nil)
		}
	}
}
