package console

import (
	"context"
	"sync"
	"time"
)

// recent is what a call returned not long ago, so that many who ask cost one call. Those
// who ask meanwhile wait for it. Safe for concurrent use.
type recent[T any] struct {
	age time.Duration
	get func(context.Context) (T, error)

	turn chan struct{} // held by who asks
	mu   sync.Mutex
	at   time.Time
	last T
	err  error
}

func newRecent[T any](age time.Duration, get func(context.Context) (T, error)) *recent[T] {
	return &recent[T]{age: age, get: get, turn: make(chan struct{}, 1)}
}

// Get returns what is not older than age.
func (r *recent[T]) Get(ctx context.Context) (last T, err error) {
	if last, err, ok := r.known(); ok {
		return last, err
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return last, ctx.Err()
	}
	defer func() { <-r.turn }()
	if last, err, ok := r.known(); ok {
		return last, err
	}
	last, err = r.get(ctx)
	if ctx.Err() != nil { // says nothing to others
		return last, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.err, r.at = last, err, time.Now()
	return last, err
}

func (r *recent[T]) known() (T, error, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.err, !r.at.IsZero() && time.Since(r.at) < r.age
}

// forget makes the next call ask anew.
func (r *recent[T]) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = time.Time{}
}
