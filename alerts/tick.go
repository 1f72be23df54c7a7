package alerts

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// strides is how many strides every camera may send no clip.
	strides = 3
	// forgetAfter is how long a camera without clips, open alerts and cooldown is
	// remembered: longer than the window of any rule that such a camera could
	// still fill without a new stream epoch.
	forgetAfter = 24 * time.Hour
	// maxCameras bounds what an engine remembers, should somebody write records of
	// cameras that do not exist.
	maxCameras = 10_000
)

// TickEvery is how often Tick should be called, by how long a camera may send no
// clip.
func TickEvery(noClips time.Duration) time.Duration { return max(noClips/12, time.Millisecond) }

// Tick lets time pass, and returns the clears of cameras that send no more clips.
// Call it each TickEvery as long as clips can arrive. Between two calls at most three
// times that counts, so that neither an outage nor a worker that was suspended clears
// anything. now may come from any clock that runs evenly.
func (e *Engine) Tick(now time.Time) []topics.Alert {
	if !e.ticked.IsZero() {
		e.clock += min(max(now.Sub(e.ticked), 0), 3*TickEvery(e.noClips))
	}
	e.ticked = now
	var late []string
	for name, c := range e.cameras {
		if without := e.clock - c.heard; without > forgetAfter || without > e.patience(c) && c.alarmed() {
			late = append(late, name)
		}
	}
	slices.Sort(late)
	var cleared []topics.Alert
	for _, name := range late {
		c := e.cameras[name]
		without := e.clock - c.heard
		if limit := e.patience(c); without > limit {
			cleared = append(cleared, c.dropped(limit)...)
		}
		if without > forgetAfter && !c.needed(without) {
			delete(e.cameras, name)
		}
	}
	return cleared
}

// Idle is whether the engine remembers no camera, so that time that passes changes nothing.
func (e *Engine) Idle() bool { return len(e.cameras) == 0 }

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

// makeRoom forgets a camera where there are too many: of those without an open
// alert the one that has sent nothing for longest.
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
