package process

import (
	"sync"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// modelReports passes on what is reported of a model while that model is in
// force. Warnings of one that is not yet are kept until it is.
type modelReports struct {
	telemetry.Reporter
	mu       sync.Mutex
	inForce  bool
	warnings map[string]error
}

func (r *modelReports) counts() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inForce
}

// Problem is passed on while the model is in force.
func (r *modelReports) Problem(part string, err error) {
	if r.counts() {
		r.Reporter.Problem(part, err)
	}
}

// Warning is passed on once the model is in force.
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

// replace puts r in force in place of what was: what holds of both models stays
// reported without a gap.
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
