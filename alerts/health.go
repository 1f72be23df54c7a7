package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// ByStream is the measure of alerts on streams, which have no scores.
const ByStream Measure = "stream"

// streams applies the rules on streams to statuses of cameras. What it raises and
// clears depends on the statuses and on the alerts that it restored alone, not on when
// they are read: a fault has lasted as long as the status says. Not safe for
// concurrent use.
type streams struct {
	left
	rules   *RuleSet
	cameras map[string]*streamCamera
}

// streamCamera is what is remembered of one camera.
type streamCamera struct {
	last    time.Time // At of its newest status
	watches map[string]*streamWatch
}

// streamWatch is the state of a rule's alert on one camera.
type streamWatch struct {
	open    *topics.Alert // raised and not yet cleared
	closed  string        // id of the last alert that was cleared
	cleared time.Time     // faults count from then on at the earliest
	resting time.Time     // end of the cooldown
}

func newStreams(rules *RuleSet) *streams {
	return &streams{rules: rules, cameras: map[string]*streamCamera{}, left: left{}}
}

// see returns the alerts that a status raises or clears. tags are the camera's.
func (s *streams) see(status topics.StreamStatus, tags []string) (out []topics.Alert) {
	if status.At.IsZero() { // of an older version, which does not say enough
		return nil
	}
	for _, r := range s.rules.onStreams() {
		c := s.camera(status.Camera)
		if c == nil {
			return out
		}
		c.last = status.At
		w := c.watch(r.Name)
		if !r.watches(status.Camera, tags) {
			if w.open != nil { // its tags were edited
				w.clearInto(&out, status.At, ruleElsewhere, 0)
			}
			continue
		}
		for _, a := range w.see(r, status) {
			a.Tags = tags
			out = append(out, a)
		}
	}
	return out
}

// camera is what is remembered of a camera; nil where there are too many.
func (s *streams) camera(name string) *streamCamera {
	c := s.cameras[name]
	if c == nil {
		if len(s.cameras) >= maxCameras {
			maps.DeleteFunc(s.cameras, func(_ string, c *streamCamera) bool { return len(c.open()) == 0 })
		}
		if len(s.cameras) >= maxCameras {
			return nil
		}
		c = &streamCamera{watches: map[string]*streamWatch{}}
		s.cameras[name] = c
	}
	return c
}

func (c *streamCamera) watch(rule string) *streamWatch {
	w := c.watches[rule]
	if w == nil {
		w = &streamWatch{}
		c.watches[rule] = w
	}
	return w
}

// see returns what a status raises and clears: at most one fault's alert is open, and
// a graver one takes its place.
func (w *streamWatch) see(r *rule, s topics.StreamStatus) (out []topics.Alert) {
	grave := w.lasting(r, s)
	if w.open != nil {
		reason, cooldown := w.ending(r, s), r.Cooldown
		if reason == "" && grave != nil && grave.graver(w.open.Label) && r.active.on(s.At) {
			raised := w.raised(r, s, *grave)
			w.clearInto(&out, s.At, grave.label, 0)
			return append(out, w.begin(raised))
		}
		if reason != "" {
			w.clearInto(&out, s.At, reason, cooldown)
		}
		return out
	}
	if grave == nil || !r.active.on(s.At) || s.At.Before(w.resting) {
		return nil
	}
	if a := w.raised(r, s, *grave); a.ID != w.closed { // else it was raised and cleared before
		out = append(out, w.begin(a))
	}
	return out
}

// lasting is the gravest fault that has lasted for as long as the rule allows; nil:
// there is none.
func (w *streamWatch) lasting(r *rule, s topics.StreamStatus) *fault {
	for _, f := range faults() {
		since, limit := f.found(s, *r.Stream).since, f.limit(*r.Stream)
		if !since.IsZero() && limit >= 0 && s.At.Sub(later(since, w.cleared)) >= limit {
			return &f
		}
	}
	return nil
}

// ending is why the open alert ends; empty: it does not.
func (w *streamWatch) ending(r *rule, s topics.StreamStatus) string {
	f, known := faultOf(w.open.Label)
	if !known || f.limit(*r.Stream) < 0 {
		return "the rule is no longer about that"
	}
	if found := f.found(s, *r.Stream); !found.known || !found.since.IsZero() || found.slack {
		return ""
	}
	return f.over(s)
}

// raised is the alert of a fault.
func (w *streamWatch) raised(r *rule, s topics.StreamStatus, f fault) topics.Alert {
	since := later(f.found(s, *r.Stream).since, w.cleared)
	return topics.Alert{
		ID:    topics.StreamAlertID(r.Name, s.Camera, f.name, since),
		State: topics.AlertRaised, Rule: r.Name, Severity: r.Severity, Camera: s.Camera,
		Label: f.label, Measure: string(ByStream), Onset: since, At: s.At,
		Reason: topics.Clean(f.why(s, *r.Stream, s.At.Sub(since).Round(time.Second))), Notify: r.Notify,
	}
}

func (w *streamWatch) begin(a topics.Alert) topics.Alert {
	w.open = &a
	return a
}

// clearInto adds the clear of the open alert.
func (w *streamWatch) clearInto(out *[]topics.Alert, at time.Time, reason string, cooldown time.Duration) {
	a := cleared(*w.open, at, reason)
	w.end(a, cooldown)
	*out = append(*out, a)
}

func (w *streamWatch) end(a topics.Alert, cooldown time.Duration) {
	w.open, w.closed, w.cleared, w.resting = nil, a.ID, a.At, a.At.Add(cooldown)
}

// remove returns the clears for a camera that was removed.
func (s *streams) remove(camera string) (out []topics.Alert) {
	c := s.cameras[camera]
	if c == nil {
		return nil
	}
	for _, rule := range slices.Sorted(maps.Keys(c.watches)) {
		if w := c.watches[rule]; w.open != nil {
			w.clearInto(&out, later(c.last, w.open.At), "the camera was removed", 0)
		}
	}
	return out
}

// setRules replaces the rules, and returns the clears of alerts whose rule is gone or
// no longer watches the camera. tags are those of a camera.
func (s *streams) setRules(rules *RuleSet, tags func(camera string) []string) (out []topics.Alert) {
	s.rules = rules
	for _, name := range slices.Sorted(maps.Keys(s.cameras)) {
		c := s.cameras[name]
		for _, ruleName := range slices.Sorted(maps.Keys(c.watches)) {
			w, r := c.watches[ruleName], rules.onStream(ruleName)
			if w.open == nil || r == nil && rules.isIncomplete() {
				continue
			}
			now := tags(name)
			if now == nil { // none, or not known yet
				now = w.open.Tags
			}
			if r != nil && r.watches(name, now) {
				continue
			}
			reason := ruleRemoved
			if r != nil {
				reason = ruleElsewhere
			}
			w.clearInto(&out, later(c.last, w.open.At), reason, 0)
		}
	}
	return out
}

// Restore takes over an alert that was published before, in the order of publishing.
func (s *streams) Restore(a topics.Alert) {
	s.restoring(a)
	c := s.camera(a.Camera)
	if c == nil {
		return
	}
	w := c.watch(a.Rule)
	switch {
	case a.ID == w.closed: // sent again
	case a.State == topics.AlertRaised:
		if w.open != nil && w.open.ID != a.ID {
			s.leave(*w.open, a.At)
		}
		w.open = &a
	case a.State == topics.AlertCleared && (w.open == nil || w.open.ID == a.ID):
		w.end(a, s.rules.onStream(a.Rule).cooldown())
	}
}

// RestoreOlder takes over an alert that is known to be open, and was raised before
// those that Restore was called for.
func (s *streams) RestoreOlder(a topics.Alert) {
	c := s.camera(a.Camera)
	if c == nil {
		return
	}
	if w := c.watch(a.Rule); w.open == nil {
		w.open = &a
	} else {
		s.leave(a, w.open.At)
	}
}

// Open are the alerts that are raised and not cleared, by camera and rule.
func (s *streams) Open() (out []topics.Alert) {
	for _, name := range slices.Sorted(maps.Keys(s.cameras)) {
		out = append(out, s.cameras[name].open()...)
	}
	return out
}

func (c *streamCamera) open() (out []topics.Alert) {
	for _, rule := range slices.Sorted(maps.Keys(c.watches)) {
		if a := c.watches[rule].open; a != nil {
			out = append(out, *a)
		}
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
