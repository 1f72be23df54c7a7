package console

import (
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// wall is what is shown of each camera, and who looks. Safe for concurrent use.
type wall struct {
	mu     sync.Mutex
	tiles  map[string]*shown
	open   map[string]topics.Alert // of the table of open alerts, by its key
	rules  *alerts.RuleSet
	limits map[string]topics.Threshold // what keeps budgets, by camera and rule
	faults map[string]error            // what can't be followed
	seers  map[*seer]struct{}
}

// shown is a camera's tile and what it is made of.
type shown struct {
	Tile
	clip topics.RecordRef
	near alerts.Nearest
}

// maxOpen bounds the open alerts that are kept.
const maxOpen = 20_000

func newWall() *wall {
	return &wall{
		tiles: map[string]*shown{}, open: map[string]topics.Alert{}, limits: map[string]topics.Threshold{},
		faults: map[string]error{}, seers: map[*seer]struct{}{},
	}
}

// setCameras takes over the table of cameras.
func (w *wall) setCameras(all []cameras.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := map[string]bool{}
	for _, e := range all {
		there[e.Name] = true
		t, known := w.tiles[e.Name]
		if !known {
			t = &shown{Tile: Tile{Labels: []Bar{}, Alerts: w.openOf(e.Name)}}
			w.tiles[e.Name] = t
		}
		before := t.Tile
		t.streamed(e)
		if !known || !slices.Equal(before.Tags, t.Tags) {
			t.near = w.rules.Nearest(t.Camera, e.Tags, w.limits)
		}
		if !reflect.DeepEqual(before, t.Tile) {
			w.changed(e.Name)
		}
	}
	for name := range w.tiles {
		if !there[name] {
			delete(w.tiles, name)
			w.changed(name)
		}
	}
}

// setRecognition takes over what was recognised in a camera's newest clip. A camera that is
// not on the table is not shown.
func (w *wall) setRecognition(r *topics.Recognition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.tiles[r.Camera]
	if !known || r.End.Before(t.End) {
		return
	}
	t.Clip, t.Start, t.End, t.Quiet, t.clip = topics.Clean(r.ClipID), r.Start, r.End, r.Quiet, r.Clip
	t.Labels = bars(r, t.near)
	w.changed(r.Camera)
}

// setRules takes over the rules in force.
func (w *wall) setRules(rules *alerts.RuleSet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules = rules
	for _, t := range w.tiles {
		t.near = rules.Nearest(t.Camera, t.Tags, w.limits)
	}
}

// maxLimits bounds the thresholds that are kept.
const maxLimits = 100_000

// setLimit takes over what keeps a rule's budget on a camera; nil: nothing is known.
func (w *wall) setLimit(key string, t *topics.Threshold) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.limits, key); t != nil && len(w.limits) < maxLimits {
		w.limits[key] = *t
	}
	if camera, _, ok := topics.SplitRuleKey(key); ok && w.tiles[camera] != nil {
		w.tiles[camera].near = w.rules.Nearest(camera, w.tiles[camera].Tags, w.limits)
	}
}

// openOf are the alerts that are open about a camera, the oldest first. It needs the lock.
func (w *wall) openOf(camera string) []Open {
	out := []Open{}
	for _, key := range slices.Sorted(maps.Keys(w.open)) {
		a := w.open[key]
		if a.Camera != camera && !slices.Contains(a.Cameras, camera) {
			continue
		}
		out = append(out, Open{
			ID: topics.Clean(a.ID), Rule: topics.Clean(a.Rule), Severity: topics.Clean(a.Severity), About: topics.Clean(a.About()), Onset: a.Onset,
		})
	}
	slices.SortStableFunc(out, func(a, b Open) int { return a.Onset.Compare(b.Onset) })
	return out
}

// setOpen takes over a record of the table of open alerts; nil: that none is open.
func (w *wall) setOpen(key string, a *topics.Alert) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, was := w.open[key]
	delete(w.open, key)
	if a != nil && len(w.open) < maxOpen {
		w.open[key] = *a
	}
	about := map[string]bool{}
	for _, one := range []*topics.Alert{&before, a} {
		if one == nil || one == &before && !was {
			continue
		}
		for _, name := range append([]string{one.Camera}, one.Cameras...) {
			about[name] = true
		}
	}
	for name := range about {
		if t, known := w.tiles[name]; known {
			t.Alerts = w.openOf(name)
			w.changed(name)
		}
	}
}

// all are the tiles, by name.
func (w *wall) all() []Tile {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.allLocked()
}

func (w *wall) allLocked() []Tile {
	out := make([]Tile, 0, len(w.tiles))
	for _, name := range slices.Sorted(maps.Keys(w.tiles)) {
		out = append(out, w.tiles[name].Tile)
	}
	return out
}

// tile is one camera's, with the position of its newest clip.
func (w *wall) tile(camera string) (Tile, topics.RecordRef, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.tiles[camera]
	if !known {
		return Tile{}, topics.RecordRef{}, false
	}
	return t.Tile, t.clip, true
}

// setFault notes what can't be followed; nil: it can.
func (w *wall) setFault(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.faults, what); err != nil {
		w.faults[what] = err
	}
}

// fault is why what is shown may be old; nil: it is not.
func (w *wall) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(w.faults)) {
		return w.faults[what]
	}
	return nil
}

// line counts what there is.
func (w *wall) line() Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := Line{Cameras: len(w.tiles), Open: len(w.open)}
	for _, t := range w.tiles {
		if t.State == string(topics.StreamStreaming) {
			l.Streaming++
		}
	}
	return l
}
