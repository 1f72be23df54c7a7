package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// partition is what the stage needs of a *bus.Partition.
type partition interface {
	Topic() string
	ID() int
	Committed() int64
	Bounds(ctx context.Context) (first, next int64, err error)
	SeekOffset(offset int64) error
	Fetch(ctx context.Context) (bus.Message, error)
	Commit(ctx context.Context, next int64) error
}

// table is the part of the cameras that one partition gives to this worker.
type table struct {
	*Stage
	p       partition
	running map[string]running // by camera name
}

type running struct {
	camera topics.Camera
	stop   func(reason string)
}

// own runs the cameras of one partition until ctx ends, and waits for their
// ends.
func (s *Stage) own(ctx context.Context, p partition) error {
	t := &table{Stage: s, p: p, running: map[string]running{}}
	defer t.stopAll()
	if err := t.load(ctx); err != nil {
		return err
	}
	for {
		m, err := p.Fetch(ctx)
		if err != nil {
			return err
		}
		if err := t.apply(ctx, m); err != nil {
			return err
		}
		if err := p.Commit(ctx, m.Offset+1); err != nil && !errors.Is(err, bus.ErrMoved) {
			return err
		}
	}
}

// load reads the whole table, whatever was committed, and only then starts what
// is left in it.
func (t *table) load(ctx context.Context) error {
	first, next, err := t.p.Bounds(ctx)
	if err != nil {
		return err
	}
	if err := t.p.SeekOffset(first); err != nil {
		return err
	}
	cameras := map[string]topics.Camera{}
	for offset := first; offset < next; {
		m, ok, err := t.fetchSoon(ctx)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		offset = m.Offset + 1
		name, c, err := t.decode(ctx, m)
		switch {
		case err != nil:
			return err
		case c != nil:
			cameras[name] = *c
		case name != "":
			delete(cameras, name)
		}
	}
	for _, c := range cameras {
		// Cameras, switches and our own cores are spared a start all at once.
		spread := min(time.Duration(len(t.running))*20*time.Millisecond, 3*time.Second)
		t.start(ctx, c, rand.N(spread+1))
	}
	if next > first {
		return ignoreMoved(t.p.Commit(ctx, next))
	}
	return nil
}

// fetchSoon gives up where compaction or retention has left nothing before the
// end that was promised.
func (t *table) fetchSoon(ctx context.Context) (bus.Message, bool, error) {
	const quiet = 2 * time.Second
	wait, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	m, err := t.p.Fetch(wait)
	if err != nil && ctx.Err() == nil {
		return bus.Message{}, false, nil
	}
	return m, err == nil, err
}

func ignoreMoved(err error) error {
	if errors.Is(err, bus.ErrMoved) {
		return nil
	}
	return err
}

// apply takes over one record that came while running.
func (t *table) apply(ctx context.Context, m bus.Message) error {
	name, c, err := t.decode(ctx, m)
	if err != nil || name == "" {
		return err
	}
	old, on := t.running[name]
	switch {
	case c == nil && on:
		t.stop(name, "the camera was removed")
	case c == nil || on && reflect.DeepEqual(*c, old.camera):
	case on:
		t.stop(name, "the camera was changed")
		t.start(ctx, *c, 0)
	default:
		t.start(ctx, *c, 0)
	}
	return nil
}

// decode reads a record: the camera, or nil for a removal. One that can't be
// read goes to the dead letters, once, and has no name; a camera that runs goes
// on as it was.
func (t *table) decode(ctx context.Context, m bus.Message) (string, *topics.Camera, error) {
	if len(m.Value) == 0 {
		return string(m.Key), nil, nil
	}
	c, err := topics.DecodeCamera(m.Value)
	if err == nil && c.Name != string(m.Key) {
		err = fmt.Errorf("the record's key is %q, its name %q", m.Key, c.Name)
	}
	if err == nil {
		return c.Name, &c, nil
	}
	if m.Offset < t.p.Committed() {
		return "", nil, nil
	}
	return "", nil, t.dead.Bury(ctx, m, err)
}

func (t *table) start(ctx context.Context, c topics.Camera, delay time.Duration) {
	t.running[c.Name] = running{camera: c, stop: t.Stage.start(ctx, c, delay)}
}

func (t *table) stop(name, reason string) {
	t.running[name].stop(reason)
	delete(t.running, name)
}

// stopAll stops the cameras at once and lets it be known before another worker
// takes them over.
func (t *table) stopAll() {
	t.stopEach(t.running)
}
