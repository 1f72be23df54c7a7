package alerts

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// fleet is the table of cameras, as far as rules need it.
type fleet struct {
	vocabularyOf func(topics.Camera) string

	ready chan struct{} // closed once the table has been read

	mu      sync.Mutex
	unknown bool                                 // the table can't be read
	strides map[string]time.Duration             // by camera; 0: the framer's own
	tags    map[string][]string                  // by camera
	words   map[string]string                    // vocabulary by camera; empty: the default one
	areas   map[string]map[string]topics.Polygon // zones by camera, of those that have any
	changed chan struct{}                        // closed when a camera is added, removed or changed
}

// maxFleet bounds the cameras that are known: whoever may write the table can add any
// number.
const maxFleet = 100_000

func newFleet(vocabularyOf func(topics.Camera) string) *fleet {
	return &fleet{
		vocabularyOf: vocabularyOf, ready: make(chan struct{}), changed: make(chan struct{}),
		strides: map[string]time.Duration{}, tags: map[string][]string{}, words: map[string]string{}, areas: map[string]map[string]topics.Polygon{},
	}
}

// follow keeps up with the table until ctx ends, or the table can't be read.
func (f *fleet) follow(ctx context.Context, table *bus.Table) error {
	caughtUp := sync.OnceFunc(func() { close(f.ready) })
	defer caughtUp()
	err := table.Follow(ctx, func(m bus.Message) error {
		f.note(string(m.Key), m.Value)
		return nil
	}, caughtUp)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unknown = true
	if err != nil {
		return fmt.Errorf("follow cameras: %w", err)
	}
	return nil
}

func (f *fleet) note(name string, record []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := topics.DecodeCamera(record)
	_, known := f.tags[name]
	switch {
	case !known && (err != nil || len(f.tags) >= maxFleet):
		return
	case err != nil: // removed, or invalid, which ingest ignores too
		delete(f.strides, name)
		delete(f.tags, name)
		delete(f.words, name)
		delete(f.areas, name)
	default:
		f.strides[name], f.tags[name], f.words[name] = c.Stride.Time, c.Tags, f.vocabularyOf(c)
		if delete(f.areas, name); len(c.Zones) > 0 {
			f.areas[name] = c.Zones
		}
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// cameras returns the tags of each camera, nil while the cameras are not known, and
// a channel that is closed when they change.
func (f *fleet) cameras() (map[string][]string, <-chan struct{}) {
	select {
	case <-f.ready:
	default:
		return nil, f.ready
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unknown {
		return nil, nil
	}
	return maps.Clone(f.tags), f.changed
}

// vocabularies returns the vocabulary of each camera.
func (f *fleet) vocabularies() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.words)
}

// zones returns the zones of the cameras that have any.
func (f *fleet) zones() map[string]map[string]topics.Polygon {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.areas)
}

// slow returns the cameras whose stride is longer than the given one.
func (f *fleet) slow(than time.Duration) map[string]time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]time.Duration{}
	for name, stride := range f.strides {
		if stride > than {
			out[name] = stride
		}
	}
	return out
}

// tagsOf are the tags of a camera; gone is whether it is known not to be on the table.
func (f *fleet) tagsOf(name string) (tags []string, gone bool) {
	select {
	case <-f.ready:
	default:
		return nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	tags, there := f.tags[name]
	return tags, !there && !f.unknown
}
