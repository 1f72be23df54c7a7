package alerts

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Engine applies rules to recognitions. It does no I/O and takes the time from
// the records alone, so that the same records give the same alerts. Not safe
// for concurrent use.
//
// A clip scores for a rule when one of its matching labels reaches the raise
// score that holds for that label. N such clips among the last M of an unbroken
// stream raise an alert. It is cleared when none of the last M clips reaches the
// clear score, or from outside (Drop, SetRules). After that the rule is quiet on
// that camera for its cooldown, and clips up to the clear count for no other
// alert. A new stream epoch empties the window of a rule that is not raised; a
// raised one stays raised until scores fall.
type Engine struct {
	rules   []rule
	cameras map[string]*camera
}

type rule struct {
	Rule
	hours *hours
}

// NewEngine takes validated rules.
func NewEngine(rules []Rule) (*Engine, error) {
	e := &Engine{cameras: map[string]*camera{}}
	_, err := e.SetRules(rules)
	return e, err
}

// SetRules replaces the rules; the state of a rule that keeps its name is kept.
// Alerts of rules that are gone, or no longer watch the camera, are cleared and
// returned.
func (e *Engine) SetRules(rules []Rule) ([]topics.Alert, error) {
	if err := ValidateRules(rules); err != nil {
		return nil, err
	}
	parsed := make([]rule, len(rules))
	for i, r := range rules {
		parsed[i].Rule = r
		if r.Schedule != nil {
			h, err := r.Schedule.parse()
			if err != nil {
				return nil, fmt.Errorf("rule %q: schedule: %w", r.Name, err)
			}
			parsed[i].hours = &h
		}
	}
	e.rules = parsed
	var cleared []topics.Alert
	for _, name := range slices.Sorted(maps.Keys(e.cameras)) {
		c := e.cameras[name]
		for _, ruleName := range slices.Sorted(maps.Keys(c.byRule)) {
			if i := e.find(ruleName); i >= 0 && e.rules[i].watches(name) {
				continue
			}
			if a := c.byRule[ruleName].clear(c.last, topics.LabelScore{}, "the rule was removed", 0); a != nil {
				cleared = append(cleared, *a)
			}
			delete(c.byRule, ruleName)
		}
	}
	return cleared, nil
}

// find is the place of a rule, -1 for one that is not there.
func (e *Engine) find(name string) int {
	return slices.IndexFunc(e.rules, func(r rule) bool { return r.Name == name })
}

// cooldown of a rule, 0 for one that is not there.
func (e *Engine) cooldown(name string) time.Duration {
	if i := e.find(name); i >= 0 {
		return time.Duration(e.rules[i].Cooldown)
	}
	return 0
}

// Evaluate gives the alerts that a recognition raises or clears. One that was
// seen before, or is older than one seen of its stream epoch, changes nothing.
func (e *Engine) Evaluate(rec topics.Recognition) []topics.Alert {
	var out []topics.Alert
	c := e.camera(rec.Camera)
	for _, r := range e.advance(c, rec) {
		if a := c.byRule[r.Name].step(r, rec); a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// Warm fills the windows from a recognition that was evaluated before this
// engine was made, and raises and clears nothing.
func (e *Engine) Warm(rec topics.Recognition) {
	c := e.camera(rec.Camera)
	for _, r := range e.advance(c, rec) {
		c.byRule[r.Name].see(r, rec)
	}
}

// advance moves the camera on to a recognition and gives the rules that watch
// it, each with its state made; none for a recognition of the past.
func (e *Engine) advance(c *camera, rec topics.Recognition) []rule {
	fresh, past := c.move(rec)
	if past {
		return nil
	}
	var watching []rule
	for _, r := range e.rules {
		if !r.watches(rec.Camera) {
			continue
		}
		if s := c.state(r.Name); fresh && s.active == nil {
			s.window = nil
		}
		watching = append(watching, r)
	}
	return watching
}

func (e *Engine) camera(name string) *camera {
	c := e.cameras[name]
	if c == nil {
		c = &camera{byRule: map[string]*state{}}
		e.cameras[name] = c
	}
	return c
}

// Restore takes over an alert that was published before this engine was made.
// Records must come in their order. Clips up to the newest one raise and clear
// nothing of that rule any more: what followed from them is published.
func (e *Engine) Restore(a topics.Alert) {
	s := e.camera(a.Camera).state(a.Rule)
	if a.At.After(s.published) {
		s.published = a.At
	}
	if a.State == topics.AlertRaised {
		s.active = &a
		return
	}
	s.active = nil
	s.rest(a.At, e.cooldown(a.Rule))
}

// Drop clears the active alerts of a camera that has fallen silent.
func (e *Engine) Drop(name, reason string) []topics.Alert {
	c := e.cameras[name]
	if c == nil {
		return nil
	}
	var out []topics.Alert
	for _, rule := range slices.Sorted(maps.Keys(c.byRule)) {
		if a := c.byRule[rule].clear(c.last, topics.LabelScore{}, reason, e.cooldown(rule)); a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// withoutEvidence notes that an active alert was published without evidence, so
// that its clear names none either.
func (e *Engine) withoutEvidence(a topics.Alert) {
	if s := e.camera(a.Camera).state(a.Rule); s.active != nil && s.active.ID == a.ID {
		s.active.Evidence = nil
	}
}

// Active are the cameras with an active alert, by name.
func (e *Engine) Active() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(e.cameras)) {
		for _, s := range e.cameras[name].byRule {
			if s.active != nil {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// memory is how far back a new engine must look to fill its windows, allowing
// ten seconds a clip.
func memory(rules []Rule) time.Duration {
	back := time.Minute
	for _, r := range rules {
		back = max(back, time.Duration(r.Clips.orOne().M+1)*10*time.Second)
	}
	return back
}
