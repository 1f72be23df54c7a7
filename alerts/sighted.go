package alerts

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// SetSighted makes the engine call fn for each clip with which a camera counts for a
// rule that counts cameras; nil ends that. The engine raises no alerts for such rules:
// it may see only some of their cameras (see Counter).
func (e *Engine) SetSighted(fn func(topics.Sighting)) { e.sighted = fn }

// sighting is what a clip that shows what the rule wants is reported as.
func (w *watch) sighting(rec *topics.Recognition, l topics.LabelScore) topics.Sighting {
	s := &topics.Seen{
		Camera: rec.Camera, Tags: rec.Tags, Start: rec.Start, End: rec.End, Label: l, Measure: string(w.rule.Measure()),
		ClipID: rec.ClipID, Clip: rec.Clip, Model: rec.Model, Vocab: rec.Vocab,
	}
	s.Threshold, _ = w.judge.levels(&l)
	s.View, s.Box = place(rec.Views, l)
	s.Label.View = 0 // the record has no views
	return topics.Sighting{Rule: w.rule.Name, RuleHash: w.rule.hash, Seen: s}
}

// maxHold is how far cameras that are behind can hold up those that are ahead: a clock
// that is hours behind must not keep an alert open.
const maxHold = 10 * time.Minute

// Through is the time up to which clips of all cameras that a rule watches were
// evaluated, by their ends; zero where none of them sends clips. One that is more than
// ten minutes behind the newest is not waited for.
func (e *Engine) Through(rule string) time.Time {
	var oldest, newest time.Time
	for _, c := range e.cameras {
		if w := c.byRule[rule]; w == nil || w.rule == nil || c.last.end.IsZero() || e.clock-c.heard > e.patience(c) {
			continue
		}
		if oldest.IsZero() || c.last.end.Before(oldest) {
			oldest = c.last.end
		}
		newest = later(newest, c.last.end)
	}
	return heldUp(oldest, newest)
}

// heldUp is the time up to which all is known, where the slowest is at one time and the
// fastest at another; zero where both are.
func heldUp(oldest, newest time.Time) time.Time {
	if newest.IsZero() {
		return newest
	}
	return later(oldest, newest.Add(-maxHold))
}

// patience is how long a camera may send no clip.
func (e *Engine) patience(c *camera) time.Duration { return max(e.noClips, strides*c.stride) }
