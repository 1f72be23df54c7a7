package alerts

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Engine applies rules to recognitions. It does no I/O and takes its time from
// the records and from Tick, so that the same records and ticks give the same
// alerts, live or from the archive. Not safe for concurrent use.
//
// A clip scores for a rule when one of its matching labels reaches the raise
// score that holds for that label. N such clips among the last M of an unbroken
// stream raise an alert. It is cleared when none of the last M clips reaches the
// clear score, when the camera sends no more clips, or when its rule is removed. Then
// the rule rests on that camera for its cooldown, and clips up to the clear count
// for no other alert. A new stream epoch empties the window of a rule whose alert
// is not open; an open one stays open until scores fall.
//
// Its alerts have no Evidence: whoever publishes them adds it.
type Engine struct {
	left
	rules      *RuleSet
	words      Words // nil: not known
	cameras    map[string]*camera
	noClips    time.Duration
	clock      time.Duration // counted by Tick
	ticked     time.Time
	trace      func(Trace)                 // nil: nobody asks
	sighted    func(topics.Sighting)       // nil: nobody counts
	thresholds map[string]topics.Threshold // by topics.RuleKey
	names      labelNames
	chosen     chosen
	rec        topics.Recognition // that is being evaluated
}

// NewEngine makes an engine that knows nothing of the past. noClips is how long a
// camera may send no clip before its alerts are cleared, or three of its strides
// where that is longer.
func NewEngine(rules *RuleSet, noClips time.Duration) *Engine {
	return &Engine{rules: rules, cameras: map[string]*camera{}, noClips: noClips, left: left{}, thresholds: map[string]topics.Threshold{}}
}

// SetRules replaces the rules; a rule that keeps its name keeps its state.
// Alerts of rules that are gone, or that no longer watch the camera, are cleared,
// and their clears returned. Where there may be more rules than these, alerts of
// rules that are not among them stay open.
func (e *Engine) SetRules(rules *RuleSet) []topics.Alert {
	e.rules = rules
	e.chosen.forget()
	var cleared []topics.Alert
	for _, name := range slices.Sorted(maps.Keys(e.cameras)) {
		cleared = append(cleared, e.rematch(name, e.cameras[name])...)
	}
	return cleared
}

// rematch works out which rules watch a camera, and clears the alerts of those that
// did and no longer do.
func (e *Engine) rematch(name string, c *camera) (cleared []topics.Alert) {
	for _, ruleName := range slices.Sorted(maps.Keys(c.byRule)) {
		r, reason := e.rules.find(ruleName), ruleElsewhere
		switch {
		case r == nil && e.rules.isIncomplete():
			continue
		case r == nil:
			reason = ruleRemoved
		case r.Count != nil:
			reason = ruleCounts
		case r.watches(name, c.tags):
			continue
		case c.last.end.Before(c.known) && topics.Chosen(name, nil, r.Cameras, nil):
			c.unsure = true // its tags may have been others when the alert was raised
			continue
		}
		if a := c.byRule[ruleName].clear(c.last, topics.LabelScore{}, reason, r.cooldown()); a != nil {
			cleared = append(cleared, *a)
		}
		if r == nil {
			delete(c.byRule, ruleName)
		}
	}
	e.match(name, c)
	return cleared
}

// match works out which rules watch a camera.
func (e *Engine) match(name string, c *camera) {
	c.rules = nil
	c.floors.forget()
	matched := map[string]*watch{}
	for _, base := range e.rules.inOrder() {
		r := base.on(name, c.tags)
		if r == nil {
			continue
		}
		w := c.watch(r.Name)
		w.follow(r, &e.names)
		w.judge.own = e.own(name, c.model, r)
		w.inhibitors = nil
		for _, by := range r.InhibitedBy {
			if m := matched[by]; m != nil {
				w.inhibitors = append(w.inhibitors, m)
			}
		}
		matched[r.Name] = w
		c.rules = append(c.rules, w)
	}
	for name, w := range c.byRule {
		if matched[name] == nil {
			w.follow(nil, nil)
		}
	}
}

// watch returns the camera's watch for a rule, and makes one where there is none.
func (c *camera) watch(rule string) *watch {
	w := c.byRule[rule]
	if w == nil {
		w = &watch{}
		c.byRule[rule] = w
	}
	return w
}

// Evaluate returns the alerts that a recognition raises or clears. One that was
// seen before, or is older than one seen of its stream epoch, changes nothing.
func (e *Engine) Evaluate(next topics.Recognition) []topics.Alert {
	e.rec = next // watches get a pointer: copying it for each took a tenth of the time
	return e.EvaluateAt(&e.rec)
}

// EvaluateAt is Evaluate without a copy of the recognition, which is not kept.
func (e *Engine) EvaluateAt(rec *topics.Recognition) (out []topics.Alert) {
	c, watches, fresh, retagged := e.advance(rec)
	if retagged || c.unsure && c.last.clip == rec.ClipID && !rec.End.Before(c.known) {
		c.unsure = false
		out = e.rematch(rec.Camera, c)
		watches = c.rules
	}
	if len(watches) == 0 {
		return out
	}
	quiet := e.trace == nil && e.isQuiet(c, rec)
	named := false
	for _, w := range watches {
		if quiet && w.open == nil && w.memory.pass(rec) {
			continue
		}
		if !named {
			e.names.see(rec.Labels)
			named = true
		}
		if a := e.step(w, rec, fresh); a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// Warm fills the memories from a recognition that was evaluated before this
// engine was made. It raises and clears nothing.
func (e *Engine) Warm(next topics.Recognition) {
	e.rec = next
	rec := &e.rec
	c, watches, _, retagged := e.advance(rec)
	if retagged {
		e.match(rec.Camera, c) // SetRules clears what it has to, once all is restored
		watches = c.rules
	}
	e.names.see(rec.Labels)
	for _, w := range watches {
		w.remember(rec)
	}
}

// advance moves the camera on to a recognition and returns it, the watches that this
// concerns, none where the recognition was seen already, whether it is the first of
// a stream epoch, and whether the camera has other tags than before, so that other
// rules may watch it now.
func (e *Engine) advance(rec *topics.Recognition) (c *camera, watches []*watch, fresh, retagged bool) {
	c = e.camera(rec.Camera)
	fresh, past := c.move(rec)
	if past {
		return c, nil, false, false
	}
	e.recognisedBy(rec.Camera, c, rec.Model)
	retagged = !slices.Equal(c.tags, rec.Tags)
	c.tags = rec.Tags
	c.heard = e.clock
	if fresh {
		for _, w := range c.rules {
			w.memory.interrupt(w.open != nil)
		}
	}
	return c, c.rules, fresh, retagged
}

func (e *Engine) camera(name string) *camera {
	c := e.cameras[name]
	if c == nil {
		e.makeRoom()
		c = &camera{byRule: map[string]*watch{}, heard: e.clock}
		e.match(name, c)
		e.cameras[name] = c
	}
	return c
}

// Restore takes over an alert that was published before this engine was made.
// Alerts must come in their order. Clips up to the newest one neither raise nor
// clear alerts of that rule again: what followed from them has been published. A
// clear of another alert than the open one changes nothing.
func (e *Engine) Restore(a topics.Alert) {
	e.restoring(a)
	if left := e.restored(a).restore(a, e.rules.find(a.Rule).cooldown()); left != nil {
		e.leave(*left, a.At)
	}
}

// restored is the watch that an alert belongs to. Until the camera's first clip its
// tags are those of its newest alert.
func (e *Engine) restored(a topics.Alert) *watch {
	c := e.camera(a.Camera)
	if a.At.After(c.known) {
		c.known = a.At
	}
	if c.last.clip == "" && !slices.Equal(c.tags, a.Tags) {
		c.tags = a.Tags
		e.match(a.Camera, c)
	}
	return c.watch(a.Rule)
}

// RestoreOlder takes over an alert that is known to be open, and was raised before
// those that Restore was called for.
func (e *Engine) RestoreOlder(a topics.Alert) {
	w := e.restored(a)
	if w.open != nil {
		e.leave(a, w.open.At)
		return
	}
	w.restore(a, e.rules.find(a.Rule).cooldown())
}

// Open are the alerts that are raised and not cleared, by camera and rule.
func (e *Engine) Open() []topics.Alert {
	var out []topics.Alert
	for _, name := range slices.Sorted(maps.Keys(e.cameras)) {
		out = append(out, e.cameras[name].open()...)
	}
	return out
}

func (c *camera) open() []topics.Alert {
	var out []topics.Alert
	for _, rule := range slices.Sorted(maps.Keys(c.byRule)) {
		if a := c.byRule[rule].open; a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// alarmed is whether an alert of the camera is open.
func (c *camera) alarmed() bool {
	for _, w := range c.byRule {
		if w.open != nil {
			return true
		}
	}
	return false
}

// dropped clears the open alerts of a camera that sends no clips.
func (c *camera) dropped(after time.Duration) (out []topics.Alert) {
	for _, rule := range slices.Sorted(maps.Keys(c.byRule)) {
		w := c.byRule[rule]
		if w.open == nil {
			continue
		}
		if a := w.clear(c.last, topics.LabelScore{}, fmt.Sprintf("no clip for %s", after), w.rule.cooldown()); a != nil {
			out = append(out, *a)
		}
	}
	return out
}
