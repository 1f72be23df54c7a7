// Package alerts turns recognitions into alerts by rules: hysteresis, N of M
// clips, cooldown and schedule, per rule and camera.
package alerts

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Rule says what to raise an alert for. Exactly one of Actions, Tags and Novel
// selects labels.
type Rule struct {
	Name     string    `yaml:"name"`
	Cameras  []string  `yaml:"cameras"` // globs over camera names; empty: every camera
	Actions  []string  `yaml:"actions"` // labels
	Tags     []string  `yaml:"tags"`    // labels with any of these
	Novel    bool      `yaml:"novel"`   // labels that the model was not trained on
	Score    Score     `yaml:"score"`
	Clips    ClipsRule `yaml:"clips"`
	Cooldown Duration  `yaml:"cooldown"` // after a clear
	Severity string    `yaml:"severity"` // info, warning (the default) or critical
	Schedule *Schedule `yaml:"schedule"`
}

// Score is the hysteresis. Raise 0 means the label's own threshold, or
// DefaultRaise; Clear 0 means two thirds of Raise.
type Score struct {
	Raise float64 `yaml:"raise"`
	Clear float64 `yaml:"clear"`
}

// DefaultRaise is the score to raise at where neither the rule nor the label
// says.
const DefaultRaise = 0.5

// ClipsRule is "N of M": how many of the last M clips must score.
type ClipsRule struct{ N, M int }

var clipsText = regexp.MustCompile(`^\s*(\d{1,3})\s*of\s*(\d{1,3})\s*$`)

// UnmarshalText reads "2 of 3".
func (c *ClipsRule) UnmarshalText(b []byte) error {
	m := clipsText.FindSubmatch(b)
	if m == nil {
		return fmt.Errorf("clips %q: want N of M, as 2 of 3", b)
	}
	c.N, _ = strconv.Atoi(string(m[1])) // the pattern lets only digits through
	c.M, _ = strconv.Atoi(string(m[2]))
	if c.N < 1 { // 0 of 0 would pass for one that was left out
		return fmt.Errorf("clips: %s: want N of M with 1 ≤ N ≤ M ≤ %d", bytes.TrimSpace(b), maxM)
	}
	return nil
}

// MarshalText writes "2 of 3".
func (c ClipsRule) MarshalText() ([]byte, error) {
	c = c.orOne()
	return fmt.Appendf(nil, "%d of %d", c.N, c.M), nil
}

func (c ClipsRule) orOne() ClipsRule {
	if c == (ClipsRule{}) {
		return ClipsRule{1, 1}
	}
	return c
}

// Duration reads "2m".
type Duration time.Duration

// UnmarshalText reads a number with a unit.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q: want a number with a unit such as 30s or 2m", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes it with its unit.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

const maxM = 100

// Validate reports everything that is wrong with the rule.
func (r Rule) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("rule %q: "+format, append([]any{r.Name}, args...)...))
	}
	if !ruleName.MatchString(r.Name) {
		wrong("name: want 1 to 64 letters, digits, '.', '_' or '-'")
	}
	for _, glob := range r.Cameras {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			wrong("cameras: %q is not a glob", glob)
		}
	}
	selectors := 0
	for _, used := range []bool{len(r.Actions) > 0, len(r.Tags) > 0, r.Novel} {
		if used {
			selectors++
		}
	}
	if selectors != 1 {
		wrong("want exactly one of actions, tags and novel: true")
	}
	for what, names := range map[string][]string{"actions": r.Actions, "tags": r.Tags} {
		if slices.ContainsFunc(names, func(n string) bool { return strings.TrimSpace(n) == "" }) {
			wrong("%s: an empty one", what)
		}
	}
	if s := r.Score; !isScore(s.Raise) || !isScore(s.Clear) || s.Raise > 0 && s.Clear > s.Raise {
		wrong("score: raise %v, clear %v: want 0 to 1, and clear not above raise", s.Raise, s.Clear)
	}
	if c := r.Clips; c != (ClipsRule{}) && (c.N < 1 || c.N > c.M || c.M > maxM) {
		wrong("clips: %d of %d: want N of M with 1 ≤ N ≤ M ≤ %d", c.N, c.M, maxM)
	}
	if r.Cooldown < 0 {
		wrong("cooldown: %v: want 0 or more", time.Duration(r.Cooldown))
	}
	if !slices.Contains([]string{"", "info", "warning", "critical"}, r.Severity) {
		wrong("severity: %q: want info, warning or critical", r.Severity)
	}
	if r.Schedule != nil {
		if err := r.Schedule.validate(); err != nil {
			wrong("schedule: %w", err)
		}
	}
	return errors.Join(errs...)
}

// isScore is false for NaN as well.
func isScore(v float64) bool { return v >= 0 && v <= 1 }

var ruleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ValidateRules checks each rule and that names differ.
func ValidateRules(rules []Rule) error {
	var errs []error
	seen := map[string]bool{}
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			errs = append(errs, err)
		}
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("rule %q: the name stands twice", r.Name))
		}
		seen[r.Name] = true
	}
	return errors.Join(errs...)
}

// watches is whether the rule is for this camera.
func (r Rule) watches(camera string) bool {
	return len(r.Cameras) == 0 || slices.ContainsFunc(r.Cameras, func(glob string) bool {
		ok, err := path.Match(glob, camera)
		return ok && err == nil
	})
}

// verdict is what a clip says to a rule.
type verdict struct {
	label            topics.LabelScore // the best that reaches its raise score, else the best that matches
	raises, sustains bool
}

// judge compares each matching label with the scores that hold for it.
func (r Rule) judge(rec topics.Recognition) verdict {
	var v verdict
	for _, l := range rec.Labels { // highest first
		if !r.selects(l) {
			continue
		}
		raise, low := r.thresholds(l)
		if v.label.Label == "" || !v.raises && l.Score >= raise {
			v.label = l
		}
		v.raises = v.raises || l.Score >= raise
		v.sustains = v.sustains || l.Score >= low
	}
	return v
}

func (r Rule) selects(l topics.LabelScore) bool {
	switch {
	case len(r.Actions) > 0:
		return slices.ContainsFunc(r.Actions, func(a string) bool { return strings.EqualFold(strings.TrimSpace(a), l.Label) })
	case l.Background:
		return false
	case r.Novel:
		return l.Novel
	}
	return slices.ContainsFunc(r.Tags, func(t string) bool { return slices.Contains(l.Tags, t) })
}

// thresholds are the scores to raise at and to clear below.
func (r Rule) thresholds(l topics.LabelScore) (raise, low float64) {
	raise = r.Score.Raise
	if raise == 0 {
		raise = l.Threshold
	}
	if raise == 0 {
		raise = DefaultRaise
	}
	low = min(r.Score.Clear, raise)
	if low == 0 {
		low = raise * 2 / 3
	}
	return raise, low
}

func (r Rule) severity() string {
	if r.Severity == "" {
		return "warning"
	}
	return r.Severity
}
