package console

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// wall is what is shown of each camera, and who looks. Safe for concurrent use.
type wall struct {
	mu     sync.Mutex
	tiles  map[string]*shown
	tags   uint64 // changes with the cameras there are, and their tags
	open   openAlerts
	rules  *alerts.RuleSet
	chosen uint64                      // how often rules were chosen for cameras
	limits map[string]topics.Threshold // what keeps budgets, by camera and rule
	faults map[string]error            // what can't be followed
	seers  map[*seer]struct{}
	bests  bests
}

// shown is a camera's tile and what it is made of.
type shown struct {
	Tile
	clip topics.RecordRef
	near alerts.Nearest
	// choice changes when the camera's rules are others.
	choice uint64
	// stale: the tile's alerts are others by now.
	stale bool
}

func newWall() *wall {
	return &wall{
		tiles: map[string]*shown{}, open: newOpenAlerts(), limits: map[string]topics.Threshold{},
		faults: map[string]error{}, seers: map[*seer]struct{}{}, bests: bests{of: map[string]map[string]*best{}},
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
			t = &shown{Tile: Tile{Labels: []Bar{}, Alerts: []Open{}}, stale: true}
			w.tiles[e.Name] = t
		}
		before := t.Tile
		t.streamed(e)
		if !known || !slices.Equal(before.Tags, t.Tags) {
			w.tags++
			w.choose(t)
		}
		if !reflect.DeepEqual(before, t.Tile) {
			w.changed(e.Name)
		}
	}
	for name := range w.tiles {
		if !there[name] {
			delete(w.tiles, name)
			w.tags++
			w.bests.forget(name)
			w.changed(name)
		}
	}
}

// ahead is how far a clip's end may be in the future, by clocks that differ.
const ahead = time.Minute

// setRecognition takes over what was recognised in a camera's newest clip. A camera that is
// not on the table is not shown.
func (w *wall) setRecognition(r *topics.Recognition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.tiles[r.Camera]
	// One of the future, which anybody may have written, is not held on to.
	if !known || r.End.Before(t.End) && t.End.Before(time.Now().Add(ahead)) {
		return
	}
	t.Clip, t.Start, t.End, t.Quiet, t.clip = topics.Clean(r.ClipID), r.Start, r.End, r.Quiet, r.Clip
	t.Labels = bars(r, t.near)
	w.bests.note(r, time.Now())
	w.changed(r.Camera)
}

// setRules takes over the rules in force.
func (w *wall) setRules(rules *alerts.RuleSet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules = rules
	for _, t := range w.tiles {
		w.choose(t)
	}
}

// choose finds the rules of a camera. It needs the lock.
func (w *wall) choose(t *shown) {
	w.chosen++
	t.near, t.choice = w.rules.Nearest(t.Camera, t.Tags, w.limits), w.chosen
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

// all are the tiles that somebody sees, by name.
func (w *wall) all(who who) []Tile {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.allLocked(who)
}

func (w *wall) allLocked(who who) []Tile {
	out := make([]Tile, 0, len(w.tiles))
	for _, name := range slices.Sorted(maps.Keys(w.tiles)) {
		if t := w.tiles[name]; who.Sees(t.Tags) {
			out = append(out, w.seen(t, who))
		}
	}
	return out
}

// tile is one camera's, with the position of its newest clip.
func (w *wall) tile(camera string, who who) (Tile, topics.RecordRef, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.tiles[camera]
	if !known {
		return Tile{}, topics.RecordRef{}, false
	}
	return w.seen(t, who), t.clip, true
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

// line counts what somebody sees.
func (w *wall) line(who who) Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := Line{Open: w.openCount(who)}
	for _, t := range w.tiles {
		if !who.Sees(t.Tags) || t.Disabled {
			continue
		}
		l.Cameras++
		if t.State == string(topics.StreamStreaming) {
			l.Streaming++
		}
	}
	return l
}
