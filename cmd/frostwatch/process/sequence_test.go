package process

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestSequenceStopsProducersFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var stopped []string
	started := make(chan struct{}, 3)
	run := func(name string) Part {
		return Part{name, func(ctx context.Context) error {
			started <- struct{}{}
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			stopped = append(stopped, name)
			return nil
		}}
	}
	result := make(chan error)
	go func() { result <- sequence(ctx, run("alerts"), run("infer"), run("ingest")) }()
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
	err := sequence(t.Context(),
		Part{"alerts", func(ctx context.Context) error { <-ctx.Done(); return nil }},
		Part{"infer", func(context.Context) error { return broken }})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestSequenceNamesAStageThatEndsUnasked(t *testing.T) {
	err := sequence(t.Context(), Part{"infer", func(context.Context) error { return nil }})
	if err == nil || err.Error() != "infer ended on its own" {
		t.Errorf("got %v", err)
	}
}
