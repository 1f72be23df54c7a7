package telemetry

import "github.com/frostwatch/frostwatch/topics"

// Reporter is how a stage says what it does and what is wrong. Each Stage gets
// one in its Options. Its methods return at once and may be called by any
// goroutine. A part is a short name such as "vocabulary" or "camera lobby"; the
// newest word about a part counts.
type Reporter interface {
	// Problem is why the worker cannot work, nil once it can: /readyz is 503
	// meanwhile.
	Problem(part string, err error)
	// Warning is what is wrong but keeps no worker from working, such as one
	// camera's fault, nil once it is over: /readyz lists it and stays 200.
	Warning(part string, err error)
	// Check registers a function that is asked at each look at readiness. Its
	// error counts as a Problem of that part. It must not block.
	Check(part string, ask func() error)
	// Describe registers a function that fills in what the stage knows of itself,
	// at each record on the workers topic. It must not block.
	Describe(fill func(*topics.Worker))
}

// Quiet is a Reporter that no one listens to.
type Quiet struct{}

// Problem says nothing.
func (Quiet) Problem(string, error) {}

// Warning says nothing.
func (Quiet) Warning(string, error) {}

// Check never asks.
func (Quiet) Check(string, func() error) {}

// Describe never asks.
func (Quiet) Describe(func(*topics.Worker)) {}
