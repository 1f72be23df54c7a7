package console

import (
	"context"
	"maps"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// rows are a table in memory.
type rows struct {
	mu  sync.Mutex
	all map[string]bus.Message
}

func rowsOf() *rows { return &rows{all: map[string]bus.Message{}} }

func (r *rows) Put(_ context.Context, key string, value []byte, _ string) (topics.RecordRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[key] = bus.Message{Key: []byte(key), Value: value}
	return topics.RecordRef{}, nil
}

func (r *rows) Delete(_ context.Context, key, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, key)
	return nil
}

func (r *rows) List(context.Context) (map[string]bus.Message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.all), nil
}

func (r *rows) Follow(ctx context.Context, _ func(bus.Message) error, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

func (r *rows) Keep(ctx context.Context, _ func(bus.Message) error, _ func(error)) { <-ctx.Done() }
