package process

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var ample = stopping{each: time.Minute, total: time.Minute, last: time.Minute}

func TestSequenceStopsProducersFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var stopped []string
	started := make(chan struct{}, 3)
	run := func(name string) Part {
		return Part{Name: name, Run: func(ctx context.Context) error {
			started <- struct{}{}
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			stopped = append(stopped, name)
			return nil
		}}
	}
	result := make(chan error)
	go func() { result <- sequence(ctx, ample, run("alerts"), run("infer"), run("ingest")) }()
	for range 3 {
		<-started
	}
	cancel()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if want := []string{"ingest", "infer", "alerts"}; !slices.Equal(stopped, want) {
		t.Errorf("stopped in order %v, want %v", stopped, want)
	}
}

func TestSequenceEndsWithTheStageThatBreaks(t *testing.T) {
	broken := errors.New("out of cheese")
	err := sequence(t.Context(), ample,
		Part{Name: "alerts", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
		Part{Name: "infer", Run: func(context.Context) error { return broken }})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestSequenceNamesAStageThatEndsUnasked(t *testing.T) {
	err := sequence(t.Context(), ample, Part{Name: "infer", Run: func(context.Context) error { return nil }})
	if err == nil || err.Error() != "infer ended on its own" {
		t.Errorf("got %v", err)
	}
}

// A part that ignores its end is named and left; the others are ended all the
// same, and in time.
func TestSequenceLeavesWhatDoesNotEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hold := make(chan struct{})
	defer close(hold)
	var clean atomic.Bool
	stuck := func(context.Context) error { <-hold; return nil }
	started := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- sequence(ctx, stopping{each: 100 * time.Millisecond, total: 150 * time.Millisecond, last: 100 * time.Millisecond},
			Part{Name: "alerts", Run: func(ctx context.Context) error {
				close(started)
				<-ctx.Done()
				clean.Store(true)
				return nil
			}},
			Part{Name: "infer", Run: stuck}, Part{Name: "framer", Run: stuck}, Part{Name: "ingest", Run: stuck})
	}()
	<-started
	cancel()
	select {
	case err := <-result:
		if !errors.Is(err, errLeft) || !strings.Contains(err.Error(), "stop ingest, framer, infer: still running") {
			t.Errorf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("waits for a part that does not end")
	}
	if !clean.Load() {
		t.Error("a part below those that hang was not ended")
	}
}
