package cameras

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// ErrNotRead is of a table that was not read yet.
var ErrNotRead = errors.New("not read yet")

// Live is what List returns, kept in memory while the tables change. Safe for
// concurrent use.
type Live struct {
	table *Table

	mu                sync.Mutex
	cameras           map[string]topics.Camera
	statuses, workers map[string]bus.Message
	unread            map[string]error // tables that can't be read, or have not been yet
}

// Live makes one, which is empty before Run.
func (t *Table) Live() *Live {
	l := &Live{
		table: t, cameras: map[string]topics.Camera{}, statuses: map[string]bus.Message{}, workers: map[string]bus.Message{},
		unread: map[string]error{},
	}
	for _, what := range []string{"cameras", "statuses", "workers"} {
		l.unread[what] = fmt.Errorf("the %s: %w", what, ErrNotRead)
	}
	return l
}

// Run follows the tables until ctx ends.
func (l *Live) Run(ctx context.Context) {
	var tables sync.WaitGroup
	defer tables.Wait()
	tables.Go(func() { l.table.Cameras.Keep(ctx, l.takeCamera, l.read("cameras")) })
	tables.Go(func() { l.table.Status.Keep(ctx, l.takeRow(l.statuses), l.read("statuses")) })
	tables.Go(func() { l.table.Workers.Keep(ctx, l.takeRow(l.workers), l.read("workers")) })
}

// List returns every camera as Table.List does, as far as the tables have been read; the
// error says which could not be.
func (l *Live) List() ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, why := range l.unread {
		err = why
	}
	return l.table.entries(l.cameras, l.statuses, l.workers), err
}

func (l *Live) takeCamera(m bus.Message) error {
	key := string(m.Key)
	if topics.IsCameraSetKey(key) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := entry(m); ok {
		l.cameras[key] = c
	} else {
		delete(l.cameras, key)
	}
	return nil
}

func (l *Live) takeRow(rows map[string]bus.Message) func(bus.Message) error {
	return func(m bus.Message) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if rows[string(m.Key)] = m; len(m.Value) == 0 {
			delete(rows, string(m.Key))
		}
		return nil
	}
}

// read notes that a table has been read, or why it can't be.
func (l *Live) read(what string) func(error) {
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if delete(l.unread, what); err != nil {
			l.unread[what] = fmt.Errorf("read the %s: %w", what, err)
		}
	}
}
