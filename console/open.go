package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Open is an open alert.
type Open struct {
	ID       string    `json:"alert_id"`
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	About    string    `json:"about" doc:"the label, or what has not been seen"`
	Onset    time.Time `json:"onset"`
	about    about
}

const (
	// maxOpen bounds the open alerts that are kept.
	maxOpen = 20_000
	// maxAbout bounds the cameras that they name, all together; beyond it an alert about
	// several is shown on the one with which they were enough.
	maxAbout = 200_000
	// maxOnTile bounds the alerts that a tile has: each of them is sent to every page
	// whenever the tile changes.
	maxOnTile = 20
)

// openAlerts are the alerts that are open. Anybody may have written any number of them.
type openAlerts struct {
	all      map[string]openAlert           // by the key of their table
	byCamera map[string]map[string]struct{} // keys of those about a camera
	about    int                            // cameras that are named
}

// openAlert is what is kept of one.
type openAlert struct {
	Open
	cameras []string // on whose tiles it is
}

func newOpenAlerts() openAlerts {
	return openAlerts{all: map[string]openAlert{}, byCamera: map[string]map[string]struct{}{}}
}

// set takes over a record of the table; nil: that none is open. It returns the cameras on
// which something changes.
func (o *openAlerts) set(key string, a *topics.Alert) []string {
	changed := o.all[key].cameras
	for _, name := range changed {
		if delete(o.byCamera[name], key); len(o.byCamera[name]) == 0 {
			delete(o.byCamera, name)
		}
	}
	o.about -= len(changed)
	if delete(o.all, key); a == nil || len(o.all) >= maxOpen {
		return changed
	}
	cameras, of := []string{a.Camera}, about{}
	if o.about+1+len(a.Cameras) <= maxAbout {
		of = aboutOf(*a)
		cameras = append(cameras, a.Cameras...)
		slices.Sort(cameras)
		cameras = slices.Compact(cameras)
	}
	o.all[key] = openAlert{
		Open{
			ID: topics.Clean(a.ID), Rule: topics.Clean(a.Rule), Severity: topics.Clean(a.Severity), About: topics.Clean(a.About()), Onset: a.Onset, about: of,
		}, cameras,
	}
	o.about += len(cameras)
	for _, name := range cameras {
		if o.byCamera[name] == nil {
			o.byCamera[name] = map[string]struct{}{}
		}
		o.byCamera[name][key] = struct{}{}
	}
	return append(slices.Clone(cameras), changed...)
}

// of are the alerts about a camera, the oldest first; of too many, the gravest.
func (o *openAlerts) of(camera string) []Open {
	out := []Open{}
	for key := range o.byCamera[camera] {
		out = append(out, o.all[key].Open)
	}
	oldest := func(a, b Open) int {
		return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.ID, b.ID))
	}
	if len(out) > maxOnTile {
		slices.SortFunc(out, func(a, b Open) int {
			return cmp.Or(topics.SeverityRank(b.Severity)-topics.SeverityRank(a.Severity), oldest(a, b))
		})
		out = slices.Clone(out[:maxOnTile])
	}
	slices.SortFunc(out, oldest)
	return out
}

// setOpen takes over a record of the table of open alerts; nil: that none is open.
func (w *wall) setOpen(key string, a *topics.Alert) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.open.all[key].about
	for _, name := range w.open.set(key, a) {
		if t, known := w.tiles[name]; known {
			t.stale = true
			w.changedFor(name, func(who who) bool { return w.seesAlert(who, before) || w.seesAlert(who, w.open.all[key].about) })
		}
	}
}

// seen is a camera's tile for somebody who looks: only then its alerts are chosen, since
// that looks at all of them, and a thousand may come at once. It needs the lock.
// An alert about several cameras is on the tile of each, for who sees them all.
func (w *wall) seen(t *shown, who who) Tile {
	if t.stale {
		t.Alerts, t.stale = w.open.of(t.Camera), false
	}
	out := t.Tile
	if !who.All {
		out.Alerts = slices.DeleteFunc(slices.Clone(out.Alerts), func(a Open) bool { return !w.seesAlert(who, a.about) })
	}
	return out
}
