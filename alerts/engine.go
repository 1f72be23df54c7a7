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
// A clip scores for a rule when its best matching label reaches the raise
// score. N such clips among the last M of an unbroken stream raise an alert. It
// is cleared when none of the last M clips reaches the clear score. After that
// the rule is quiet on that camera for its cooldown. A new stream epoch empties
// the window of a rule that is not raised; a raised one stays raised until
// scores fall.
type Engine struct {
	rules   []rule
	cameras map[string]*camera
}

type rule struct {
	Rule
	hours *hours
}

// camera is what the engine remembers of one camera.
type camera struct {
	epoch  time.Time
	newest time.Time // start of the newest clip seen
	last   topics.Recognition
	byRule map[string]*state
}

// state is what the engine remembers of one rule on one camera.
type state struct {
	window []seen // at most M, oldest first
	active *topics.Alert
	quiet  time.Time // no raise before: end of the cooldown
}

type seen struct {
	clip             string
	start            time.Time
	raises, sustains bool
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
	byName := map[string]Rule{}
	for i, r := range rules {
		parsed[i].Rule = r
		byName[r.Name] = r
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
			if r, ok := byName[ruleName]; ok && r.watches(name) {
				continue
			}
			if a := c.byRule[ruleName].clear(c.last, topics.LabelScore{}, "the rule was removed"); a != nil {
				cleared = append(cleared, *a)
			}
			delete(c.byRule, ruleName)
		}
	}
	return cleared, nil
}

// Evaluate gives the alerts that a recognition raises or clears. One that was
// seen before, or is older than one seen, changes nothing.
func (e *Engine) Evaluate(rec topics.Recognition) []topics.Alert {
	var out []topics.Alert
	for _, r := range e.advance(rec) {
		if a := e.camera(rec.Camera).byRule[r.Name].step(r, rec); a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// advance moves the camera on to a recognition and gives the rules that watch
// it, each with its state made; none for a recognition of the past.
func (e *Engine) advance(rec topics.Recognition) []rule {
	c := e.camera(rec.Camera)
	if !rec.Start.After(c.newest) {
		return nil
	}
	fresh := !rec.Epoch.Equal(c.epoch)
	c.epoch, c.newest, c.last = rec.Epoch, rec.Start, rec
	var watching []rule
	for _, r := range e.rules {
		if !r.watches(rec.Camera) {
			continue
		}
		s := c.byRule[r.Name]
		if s == nil {
			s = &state{}
			c.byRule[r.Name] = s
		}
		if fresh && s.active == nil {
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
// Records must come in their order.
func (e *Engine) Restore(a topics.Alert) {
	i := slices.IndexFunc(e.rules, func(r rule) bool { return r.Name == a.Rule })
	c := e.camera(a.Camera)
	s := c.byRule[a.Rule]
	if s == nil {
		s = &state{}
		c.byRule[a.Rule] = s
	}
	if a.State == topics.AlertRaised {
		s.active = &a
		return
	}
	s.active = nil
	if i >= 0 {
		s.quiet = a.At.Add(time.Duration(e.rules[i].Cooldown))
	}
}

// Drop clears the active alerts of a camera that has fallen silent.
func (e *Engine) Drop(name, reason string) []topics.Alert {
	c := e.cameras[name]
	if c == nil {
		return nil
	}
	var out []topics.Alert
	for _, rule := range slices.Sorted(maps.Keys(c.byRule)) {
		s := c.byRule[rule]
		if a := s.clear(c.last, topics.LabelScore{}, reason); a != nil {
			s.window = nil
			out = append(out, *a)
		}
	}
	return out
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

// Warm fills the windows from a recognition that was evaluated before this
// engine was made, and raises and clears nothing.
func (e *Engine) Warm(rec topics.Recognition) {
	for _, r := range e.advance(rec) {
		e.camera(rec.Camera).byRule[r.Name].see(r, rec)
	}
}

// see adds a clip to the window and gives its best label.
func (s *state) see(r rule, rec topics.Recognition) topics.LabelScore {
	label, listed := r.best(rec)
	raise, low := r.thresholds(label)
	on := r.hours == nil || r.hours.on(rec.End)
	s.window = append(s.window, seen{
		clip: rec.ClipID, start: rec.Start,
		raises: listed && on && label.Score >= raise, sustains: listed && label.Score >= low,
	})
	if extra := len(s.window) - r.window().M; extra > 0 {
		s.window = slices.Delete(s.window, 0, extra)
	}
	return label
}

// step moves one rule on one camera by one clip.
func (s *state) step(r rule, rec topics.Recognition) *topics.Alert {
	label := s.see(r, rec)
	if s.active == nil {
		return s.raise(r, rec, label, r.window().N)
	}
	if slices.ContainsFunc(s.window, func(c seen) bool { return c.sustains }) {
		return nil
	}
	s.quiet = rec.End.Add(time.Duration(r.Cooldown))
	return s.clear(rec, label, "the score fell")
}

func (s *state) raise(r rule, rec topics.Recognition, label topics.LabelScore, n int) *topics.Alert {
	var counted []seen
	for _, c := range s.window {
		if c.raises {
			counted = append(counted, c)
		}
	}
	// The clip at hand must be one of them: an alert is about now.
	if len(counted) < n || !s.window[len(s.window)-1].raises || rec.End.Before(s.quiet) {
		return nil
	}
	onset := counted[0]
	a := about(rec, label)
	a.ID, a.State, a.Rule, a.Severity = topics.AlertID(r.Name, onset.clip), topics.AlertRaised, r.Name, r.severity()
	a.Onset, a.OnsetClip = onset.start, onset.clip
	a.Evidence = &rec.Clip
	s.active = &a
	raised := a
	return &raised
}

// clear ends the active alert, if there is one.
func (s *state) clear(rec topics.Recognition, label topics.LabelScore, reason string) *topics.Alert {
	if s.active == nil {
		return nil
	}
	was := s.active
	s.active = nil
	if label.Label == "" {
		label = topics.LabelScore{Label: was.Label, Novel: was.Novel, NearestBase: was.NearestBase}
	}
	a := about(rec, label)
	if rec.ClipID == "" { // nothing of the camera was seen since a restart
		a.Camera, a.Tags, a.At, a.Clip, a.Model, a.Vocab = was.Camera, was.Tags, was.At, was.Clip, was.Model, was.Vocab
	}
	a.ID, a.State, a.Rule, a.Severity = was.ID, topics.AlertCleared, was.Rule, was.Severity
	a.Onset, a.OnsetClip, a.Evidence, a.Reason = was.Onset, was.OnsetClip, was.Evidence, reason
	return &a
}

// about is an alert with what comes from the deciding clip.
func about(rec topics.Recognition, l topics.LabelScore) topics.Alert {
	return topics.Alert{
		Camera: rec.Camera, Tags: rec.Tags, Label: l.Label, Score: l.Score, Similarity: l.Similarity,
		Novel: l.Novel, NearestBase: l.NearestBase, At: rec.End, Clip: rec.ClipID, Model: rec.Model, Vocab: rec.Vocab,
	}
}

// memory is how far back a new engine must look to fill its windows, allowing
// ten seconds a clip.
func memory(rules []Rule) time.Duration {
	back := time.Minute
	for _, r := range rules {
		back = max(back, time.Duration(r.window().M+1)*10*time.Second)
	}
	return back
}
