package console

import (
	"context"

	"github.com/frostwatch/frostwatch/topics"
)

// What of a camera is shown is asked for here, with who asks.

// sees is whether who makes a request may see a camera, and what is about it. One that is
// not on the table is seen by those who see all.
func (c *Console) sees(ctx context.Context, camera string) bool {
	return c.wall.seenBy(c.whoOf(ctx), camera)
}

// tile is a camera's for who makes a request, with the position of its newest clip. One
// that they may not see is as unknown as one that is not there.
func (c *Console) tile(ctx context.Context, camera string) (Tile, topics.RecordRef, bool) {
	who := c.whoOf(ctx)
	t, at, known := c.wall.tile(camera, who)
	if !known || !who.Sees(t.Tags) {
		return Tile{}, topics.RecordRef{}, false
	}
	return t, at, true
}

func (w *wall) seenBy(who who, camera string) bool {
	if who.All {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seesCamera(who, camera)
}

// seesCamera and seesAlert need the lock.
func (w *wall) seesCamera(who who, camera string) bool {
	t, known := w.tiles[camera]
	return who.All || known && who.Sees(t.Tags)
}

func (w *wall) seesAlert(who who, of about) bool {
	return who.All || of.seen(func(camera string) bool { return w.seesCamera(who, camera) })
}

// openCount is how many open alerts somebody sees.
func (w *wall) openCount(who who) int {
	if who.All {
		return len(w.open.all)
	}
	keys := map[string]struct{}{}
	for name, t := range w.tiles {
		if !who.Sees(t.Tags) {
			continue
		}
		for key := range w.open.byCamera[name] {
			if w.seesAlert(who, w.open.all[key].about) {
				keys[key] = struct{}{}
			}
		}
	}
	return len(keys)
}
