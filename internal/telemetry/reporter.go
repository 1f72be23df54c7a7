package telemetry

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Reporter is how a stage reports what it does and what is wrong. Each Stage
// gets one in its Options. Its methods return at once and may be called from
// any goroutine. A part is a short name such as "vocabulary" or "camera lobby";
// the latest report about a part replaces the earlier one.
type Reporter interface {
	// Problem reports why the worker cannot work, or nil once it can. While
	// there is a problem /readyz answers 503.
	Problem(part string, err error)
	// Warning reports what is wrong but does not keep the worker from working,
	// such as one camera's fault, or nil once it is over. /readyz lists it and
	// still answers 200.
	Warning(part string, err error)
	// Incident reports what went wrong once, such as a record that can't be used.
	// It is listed among the warnings until none has been reported about the part
	// for IncidentTime.
	Incident(part string, err error)
	// Check registers a function that is called whenever readiness is checked.
	// Its error counts as a Problem of that part. It must not block.
	Check(part string, ask func() error)
	// Describe registers a function that adds what the stage knows about itself
	// to each record on the workers topic. It must not block.
	Describe(fill func(*topics.Worker))
}

// IncidentTime is how long an incident is listed.
const IncidentTime = 10 * time.Minute

// Quiet is a Reporter that discards everything.
type Quiet struct{}

// Problem does nothing.
func (Quiet) Problem(string, error) {}

// Warning does nothing.
func (Quiet) Warning(string, error) {}

// Incident does nothing.
func (Quiet) Incident(string, error) {}

// Check does nothing.
func (Quiet) Check(string, func() error) {}

// Describe does nothing.
func (Quiet) Describe(func(*topics.Worker)) {}
