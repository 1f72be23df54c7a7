package cameras_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// rows are a compacted topic in memory.
type rows struct {
	mu    sync.Mutex
	last  map[string]bus.Message
	puts  []string // keys, "-key" for a removal
	grown chan struct{}
	log   []bus.Message
}

func newRows() *rows { return &rows{last: map[string]bus.Message{}, grown: make(chan struct{})} }

func (r *rows) Put(_ context.Context, key string, value []byte, _ string) (topics.RecordRef, error) {
	r.write(key, value, time.Now())
	return topics.RecordRef{}, nil
}

func (r *rows) Delete(_ context.Context, key, _ string) error {
	r.write(key, nil, time.Now())
	return nil
}

func (r *rows) write(key string, value []byte, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := bus.Message{Key: []byte(key), Value: value, Time: at}
	r.log = append(r.log, m)
	close(r.grown)
	r.grown = make(chan struct{})
	if len(value) == 0 {
		delete(r.last, key)
		r.puts = append(r.puts, "-"+key)
		return
	}
	r.last[key] = m
	r.puts = append(r.puts, key)
}

func (r *rows) List(context.Context) (map[string]bus.Message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.last), nil
}

func (r *rows) Follow(ctx context.Context, fn func(bus.Message) error, caughtUp func()) error {
	for at := 0; ; {
		r.mu.Lock()
		log, grown := r.log[at:], r.grown
		r.mu.Unlock()
		for _, m := range log {
			if err := fn(m); err != nil {
				return err
			}
			at++
		}
		if caughtUp != nil {
			caughtUp()
			caughtUp = nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *rows) Keep(ctx context.Context, take func(bus.Message) error, read func(error)) {
	_ = r.Follow(ctx, func(m bus.Message) error {
		_ = take(m) // the table of the bus logs it
		return nil
	}, func() { read(nil) })
}

type fixture struct {
	*cameras.Table
	cameras, status, workers *rows
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{cameras: newRows(), status: newRows(), workers: newRows()}
	var err error
	f.Table, err = cameras.New(cameras.Options{
		Cameras: f.cameras, Status: f.status, Workers: f.workers,
		Age: func(m bus.Message) time.Duration { return time.Since(m.Time) }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fixture) put(t *testing.T, c topics.Camera) {
	t.Helper()
	if err := f.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) remove(t *testing.T, name string) {
	t.Helper()
	if err := f.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// table is "name url source" of every camera.
func (f fixture) table(t *testing.T) string {
	t.Helper()
	entries, err := f.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %s %s", e.Name, strings.TrimPrefix(e.URL, "rtsp://h/"), e.Source))
	}
	return strings.Join(out, ", ")
}

func named(names ...string) []topics.Camera {
	var out []topics.Camera
	for _, n := range names {
		name, url, has := strings.Cut(n, "=")
		if !has {
			url = "1"
		}
		out = append(out, topics.Camera{Name: name, URL: "rtsp://h/" + url})
	}
	return out
}

func (f fixture) reported(t *testing.T, s topics.StreamStatus, age time.Duration) {
	t.Helper()
	value, err := topics.EncodeStatus(s)
	if err != nil {
		t.Fatal(err)
	}
	f.status.write(s.Camera, value, time.Now().Add(-age))
}
