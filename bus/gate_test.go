package bus

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
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

// The member confirms what it holds before it lets commits go on: a commit that
// waits for that must not be in its way.
func TestACommitThatWaitsHoldsNothingUp(t *testing.T) {
	c, err := New(Options{Brokers: []string{"127.0.0.1:1"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	m := &member{client: c, o: GroupOptions{Group: "g", Topic: "t"}, gate: newGate()}
	p := m.newPartition(0)
	p.committed.Store(7)
	ctx, stop := context.WithCancel(t.Context())
	waits := make(chan error, 2)
	for _, next := range []int64{8, 9} {
		go func() { waits <- p.Commit(ctx, next) }()
	}
	for len(p.committing) == 0 {
		runtime.Gosched()
	}
	expected := make(chan int64, 1)
	go func() { expected <- p.expected() }()
	select {
	case got := <-expected:
		if got != 7 {
			t.Errorf("the group's offset is expected at %d, want 7", got)
		}
	case <-time.After(time.Minute):
		t.Error("what is held can't be confirmed while a commit waits")
	}
	stop()
	for range 2 {
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Errorf("a commit that was given up: %v", err)
		}
	}
}

// A commit whose answer was lost in a freeze may have been made: the partition is not
// another's for that.
func TestACommitWithoutAnAnswerIsOurs(t *testing.T) {
	p := (&member{client: &Client{}, o: GroupOptions{Group: "g", Topic: "t"}, gate: newGate()}).newPartition(0)
	if !p.own(-1) || p.own(0) {
		t.Error("of a group that has committed nothing, only nothing is ours")
	}
	p.committed.Store(7)
	p.done.Store(8)
	p.asked.Store(9)
	for offset, want := range map[int64]bool{-1: false, 7: false, 8: true, 9: true, 10: false} {
		if p.own(offset) != want {
			t.Errorf("offset %d: ours is %v", offset, !want)
		}
	}
}
