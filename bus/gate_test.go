package bus

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestNothingPassesThatIsNotConfirmed(t *testing.T) {
	g, l := newGate(), &lease{}
	try := func() (pass, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		return g.enter(ctx, l, 1)
	}
	if _, err := try(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the first generation: %v", err)
	}
	// As of a worker that wakes up: its last confirmation is as old as its session.
	g.reopen("m", 3, 1003, time.Now().Add(-sessionTime))
	if _, err := try(); !errors.Is(err, context.DeadlineExceeded) || len(g.ask) != 1 {
		t.Errorf("with an old confirmation: %v, asked %d", err, len(g.ask))
	}
	g.confirm(3, time.Now())
	p, err := try()
	if err != nil || p.generation != 1003 || g.may(l, p) != nil {
		t.Fatalf("confirmed: %+v, %v", p, err)
	}
	g.mu.Lock()
	g.confirmed = time.Now().Add(-sessionTime)
	g.mu.Unlock()
	if err := g.may(l, p); !errors.Is(err, errGate) {
		t.Errorf("stopped between entering and sending: %v", err)
	}
	closed := make(chan struct{})
	go func() { g.close(t.Context()); close(closed) }()
	select {
	case <-closed:
		t.Error("closed while a record was in flight")
	case <-time.After(20 * time.Millisecond):
	}
	g.leave(1)
	<-closed
	g.reopen("m", 4, 1004, time.Now())
	if err := g.may(l, p); !errors.Is(err, errGate) {
		t.Errorf("a record of the generation before: %v", err)
	}
	g.lose(l)
	if _, err := try(); !errors.Is(err, ErrMoved) {
		t.Errorf("of a partition that moved: %v", err)
	}
}
