package alerts

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// camera is what the engine remembers of one camera.
type camera struct {
	epochs []epoch // the last few, the current one at the end
	last   topics.Recognition
	byRule map[string]*state
}

// epoch is one unbroken stretch of a stream.
type epoch struct {
	began  time.Time
	newest time.Time // start of its newest clip
}

// maxEpochs is how many stream epochs of a camera are told from new ones, should
// their clips be sent again.
const maxEpochs = 8

// move notes a clip. fresh: it is of another epoch than the one before; past: it
// was seen, or overtaken by a later one of its epoch. Epochs are not compared by
// their time: a camera host whose clock was set back goes on being watched.
func (c *camera) move(rec topics.Recognition) (fresh, past bool) {
	current := len(c.epochs) - 1
	i := slices.IndexFunc(c.epochs, func(e epoch) bool { return e.began.Equal(rec.Epoch) })
	if i >= 0 && !rec.Start.After(c.epochs[i].newest) {
		return false, true
	}
	if i < 0 || i != current {
		if i >= 0 {
			c.epochs = slices.Delete(c.epochs, i, i+1)
		}
		c.epochs = append(c.epochs, epoch{began: rec.Epoch})
		c.epochs = c.epochs[max(0, len(c.epochs)-maxEpochs):]
		fresh = true
	}
	c.epochs[len(c.epochs)-1].newest = rec.Start
	c.last = rec
	return fresh, false
}

func (c *camera) state(rule string) *state {
	s := c.byRule[rule]
	if s == nil {
		s = &state{}
		c.byRule[rule] = s
	}
	return s
}

// state is what the engine remembers of one rule on one camera.
type state struct {
	window    []seen // at most M, oldest first
	active    *topics.Alert
	quiet     time.Time // no raise before: end of the cooldown
	cleared   time.Time // of the last clear: clips that end by then count no more
	published time.Time // of the newest alert that was restored
}

type seen struct {
	clip             string
	start            time.Time
	raises, sustains bool
}

// see adds a clip to the window.
func (s *state) see(r rule, rec topics.Recognition) verdict {
	v := r.judge(rec)
	on := r.hours == nil || r.hours.on(rec.End)
	s.window = append(s.window, seen{
		clip: rec.ClipID, start: rec.Start,
		raises: v.raises && on && rec.End.After(s.cleared), sustains: v.sustains,
	})
	if extra := len(s.window) - r.Clips.orOne().M; extra > 0 {
		s.window = slices.Delete(s.window, 0, extra)
	}
	return v
}

// step moves one rule on one camera by one clip.
func (s *state) step(r rule, rec topics.Recognition) *topics.Alert {
	v := s.see(r, rec)
	if !rec.End.After(s.published) {
		return nil // sent again: what follows from it is known
	}
	if s.active == nil {
		return s.raise(r, rec, v.label)
	}
	// After a restart the window may lack clips: it fills before it clears.
	if len(s.window) < r.Clips.orOne().M || slices.ContainsFunc(s.window, func(c seen) bool { return c.sustains }) {
		return nil
	}
	return s.clear(rec, v.label, "the score fell", time.Duration(r.Cooldown))
}

func (s *state) raise(r rule, rec topics.Recognition, label topics.LabelScore) *topics.Alert {
	var counted []seen
	for _, c := range s.window {
		if c.raises {
			counted = append(counted, c)
		}
	}
	// The clip at hand must be one of them: an alert is about now.
	if len(counted) < r.Clips.orOne().N || !s.window[len(s.window)-1].raises || rec.End.Before(s.quiet) {
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
func (s *state) clear(rec topics.Recognition, label topics.LabelScore, reason string, cooldown time.Duration) *topics.Alert {
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
	s.rest(a.At, cooldown)
	return &a
}

// rest is what follows a clear, also a restored one.
func (s *state) rest(at time.Time, cooldown time.Duration) {
	s.window, s.cleared, s.quiet = nil, at, at.Add(cooldown)
}

// about is an alert with what comes from the deciding clip.
func about(rec topics.Recognition, l topics.LabelScore) topics.Alert {
	return topics.Alert{
		Camera: rec.Camera, Tags: rec.Tags, Label: l.Label, Score: l.Score, Similarity: l.Similarity,
		Novel: l.Novel, NearestBase: l.NearestBase, At: rec.End, Clip: rec.ClipID, Model: rec.Model, Vocab: rec.Vocab,
	}
}
