package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// strides without a clip are allowed to any camera.
	strides = 3
	// forgetAfter is how long a camera without clips, open alerts and cooldown is
	// remembered: longer than the window of any rule that such a camera could
	// still fill without a new stream epoch.
	forgetAfter = 24 * time.Hour
	// maxCameras bounds what an engine remembers, should somebody write records
	// of cameras that are not.
	maxCameras = 10_000
)

// TickEvery is how often an engine wants a Tick for a limit without clips.
func TickEvery(noClips time.Duration) time.Duration { return max(noClips/12, time.Millisecond) }

// Tick lets time pass, and gives the clears of cameras that send no more clips.
// Call it each TickEvery while clips could come: of the time from one tick to the
// next three times that counts at most, so that an outage, or a worker that was
// held up, clears nothing. now may be any clock that goes on evenly.
func (e *Engine) Tick(now time.Time) []topics.Alert {
	if !e.ticked.IsZero() {
		e.clock += min(max(now.Sub(e.ticked), 0), 3*TickEvery(e.noClips))
	}
	e.ticked = now
	var cleared []topics.Alert
	for _, name := range slices.Sorted(maps.Keys(e.cameras)) {
		c := e.cameras[name]
		without := e.clock - c.heard
		if limit := max(e.noClips, strides*c.stride); without > limit {
			cleared = append(cleared, c.dropped(limit)...)
		}
		if without > forgetAfter && !c.needed(without) {
			delete(e.cameras, name)
		}
	}
	return cleared
}

// needed is whether a camera that sends no clips has an open alert, or a cooldown
// that is not over yet.
func (c *camera) needed(without time.Duration) bool {
	for _, w := range c.byRule {
		if w.open != nil || w.resting.Sub(c.last.end) > without {
			return true
		}
	}
	return false
}

// makeRoom forgets a camera where there are too many: the one that was heard
// longest ago, of those without an open alert.
func (e *Engine) makeRoom() {
	if len(e.cameras) < maxCameras {
		return
	}
	oldest := ""
	for name, c := range e.cameras {
		if len(c.open()) == 0 && (oldest == "" || c.heard < e.cameras[oldest].heard) {
			oldest = name
		}
	}
	delete(e.cameras, oldest)
}
