// Package cameras is the table of cameras on Kafka: who put each camera, what its
// stream was last reported to do, and how a configuration file is taken over
// without undoing what people have changed since. It opens no streams.
package cameras

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Rows is what is needed of a table of the bus (*bus.Table).
type Rows interface {
	Put(ctx context.Context, key string, value []byte, partitionBy string) (topics.RecordRef, error)
	Delete(ctx context.Context, key, partitionBy string) error
	List(ctx context.Context) (map[string]bus.Message, error)
	Follow(ctx context.Context, fn func(bus.Message) error, caughtUp func()) error
	Keep(ctx context.Context, take func(bus.Message) error, read func(error))
}

// Options of a Table. All are required.
type Options struct {
	Cameras, Status, Workers Rows
	// Age is how old a record is, by one clock for all: bus.Client.Age.
	Age    func(bus.Message) time.Duration
	Logger *slog.Logger // gets a line for each edit that was accepted
}

// Table is the table of cameras. Safe for concurrent use; of two edits of one
// camera at the same time the later one holds.
type Table struct{ Options }

// New checks the options.
func New(o Options) (*Table, error) {
	if o.Cameras == nil || o.Status == nil || o.Workers == nil || o.Age == nil || o.Logger == nil {
		return nil, errors.New("cameras: the three tables, age and logger are required")
	}
	return &Table{o}, nil
}

// Open is the table on a Kafka cluster.
func Open(c *bus.Client, n topics.Names, log *slog.Logger) (*Table, error) {
	return New(Options{
		Cameras: c.Table(n.Of(topics.Cameras)), Status: c.Table(n.Of(topics.Status)), Workers: c.Table(n.Of(topics.Workers)),
		Age: c.Age, Logger: log,
	})
}

// ErrUnknown is returned for a camera that is not on the table.
var ErrUnknown = errors.New("there is no such camera")

// Put adds a camera or changes the one of that name, whoever put it before. It
// returns when Kafka has it, which is before any worker acts on it.
func (t *Table) Put(ctx context.Context, c topics.Camera) error {
	value, err := topics.EncodeCamera(c)
	if err != nil {
		return err
	}
	if _, err := t.Cameras.Put(ctx, c.Name, value, ""); err != nil {
		return fmt.Errorf("put camera %s: %w", c.Name, err)
	}
	t.Logger.InfoContext(ctx, "camera put", "camera", c.Name, "url", RedactURL(c.URL), "tags", c.Tags, "source", c.Source)
	return nil
}

// Remove takes a camera and its status off the table. One that is not there is
// removed all the same.
func (t *Table) Remove(ctx context.Context, name string) error {
	if err := t.Cameras.Delete(ctx, name, ""); err != nil {
		return fmt.Errorf("remove camera %s: %w", name, err)
	}
	// Its worker does so too, but there may be none.
	if err := t.Status.Delete(ctx, name, ""); err != nil {
		return fmt.Errorf("remove the status of camera %s: %w", name, err)
	}
	t.Logger.InfoContext(ctx, "camera removed", "camera", name)
	return nil
}

// Get returns one camera, or ErrUnknown.
func (t *Table) Get(ctx context.Context, name string) (topics.Camera, error) {
	all, _, err := t.records(ctx)
	if err != nil {
		return topics.Camera{}, err
	}
	c, ok := all[name]
	if !ok {
		return topics.Camera{}, fmt.Errorf("camera %.80q: %w", name, ErrUnknown)
	}
	return c, nil
}

// records returns the cameras and the sets of their owners, by key. Records that
// can't be decoded are left out: the ingest worker reports them.
func (t *Table) records(ctx context.Context) (map[string]topics.Camera, map[string]topics.CameraSet, error) {
	rows, err := t.Cameras.List(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read the cameras: %w", err)
	}
	all, sets := map[string]topics.Camera{}, map[string]topics.CameraSet{}
	for key, m := range rows {
		if topics.IsCameraSetKey(key) {
			if s, err := topics.DecodeCameraSet(m.Value); err == nil {
				sets[key] = s
			}
		} else if c, ok := entry(m); ok {
			all[key] = c
		}
	}
	return all, sets, nil
}

// entry is the camera of a record; false: it is none.
func entry(m bus.Message) (topics.Camera, bool) {
	c, err := topics.DecodeCamera(m.Value)
	return c, err == nil && c.Name == string(m.Key)
}

// Follow calls fn, one call at a time, for each camera on the table and then for
// each edit, with nil for a removal. It returns ctx's error when ctx ends, or what
// fn returns (nil for bus.ErrStop). caughtUp, if not nil, is called once: after
// the cameras that were there when Follow was called.
func (t *Table) Follow(ctx context.Context, fn func(name string, c *topics.Camera) error, caughtUp func()) error {
	return t.Cameras.Follow(ctx, func(m bus.Message) error {
		name := string(m.Key)
		switch c, err := topics.DecodeCamera(m.Value); {
		case topics.IsCameraSetKey(name):
			return nil
		case len(m.Value) == 0:
			return fn(name, nil)
		case err != nil || c.Name != name:
			return nil
		default:
			return fn(name, &c)
		}
	}, caughtUp)
}
