package notify

import (
	"sync"
	"time"
)

const (
	// maxFailures is after how many failures in a row nothing waits for the model, for
	// restTime; then one question at a time tries it, and no alert waits for that.
	maxFailures = 3
	restTime    = 30 * time.Second
)

// outcome is what has become of a question.
type outcome int

const (
	answered outcome = iota
	failed
	untold // it was not asked, or had no fair time
)

// breaker keeps alerts from waiting for a model that does not answer.
type breaker struct {
	mu     sync.Mutex
	failed int // in a row
	rest   time.Duration
	until  time.Time
	trying bool
}

// allow is whether an alert may wait for the model, and else whether it may be tried
// with the alert meanwhile; whoever tries it has to call done.
func (b *breaker) allow(now time.Time) (wait, try bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failed < maxFailures:
		return true, false
	case b.trying || now.Before(b.until):
		return false, false
	}
	b.trying = true
	return false, true
}

// done notes what has become of a question; trial: it was one that allow let try.
func (b *breaker) done(how outcome, trial bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if trial {
		b.trying = false
	}
	switch how {
	case answered:
		b.failed = 0
	case failed:
		b.failed++
		b.until = now.Add(b.rest)
	}
}
