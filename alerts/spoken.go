package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// Then is what has to be seen after a rule's own labels, and how soon: in YAML
// {actions: [...], within: 30s}, or for one label the text "person running within
// 30s".
type Then struct {
	Actions []string      `yaml:"actions"`
	Within  time.Duration `yaml:"within"`
}

// Absent is what must not stay unseen, and for how long: in YAML {actions: [...],
// for: 2h}, or for one label the text "nurse visiting for 2h".
type Absent struct {
	Actions []string      `yaml:"actions"`
	For     time.Duration `yaml:"for"`
}

const (
	// maxWithin bounds how far back a rule looks for what came first.
	maxWithin = time.Hour
	// maxAbsent bounds how long something may stay unseen: after a restart as much
	// of the past is read again.
	maxAbsent = 24 * time.Hour
)

var (
	thenText   = regexp.MustCompile(`^\s*(.*\S)\s+within\s+(\S+)\s*$`)
	absentText = regexp.MustCompile(`^\s*(.*\S)\s+for\s+(\S+)\s*$`)
)

// UnmarshalText reads "LABEL within TIME".
func (t *Then) UnmarshalText(b []byte) error {
	label, length, ok := labelAndTime(thenText, b)
	if !ok {
		return fmt.Errorf(`then: %.80q: want LABEL within TIME, as person running within 30s, or {actions: [...], within: 30s}`, b)
	}
	t.Actions, t.Within = []string{label}, length
	return nil
}

// UnmarshalYAML reads the text or the keys.
func (t *Then) UnmarshalYAML(unmarshal func(any) error) error {
	type keys Then
	return config.EitherForm(unmarshal, t.UnmarshalText, (*keys)(t))
}

// UnmarshalText reads "LABEL for TIME".
func (a *Absent) UnmarshalText(b []byte) error {
	label, length, ok := labelAndTime(absentText, b)
	if !ok {
		return fmt.Errorf(`absent: %.80q: want LABEL for TIME, as nurse visiting for 2h, or {actions: [...], for: 2h}`, b)
	}
	a.Actions, a.For = []string{label}, length
	return nil
}

// UnmarshalYAML reads the text or the keys.
func (a *Absent) UnmarshalYAML(unmarshal func(any) error) error {
	type keys Absent
	return config.EitherForm(unmarshal, a.UnmarshalText, (*keys)(a))
}

// labelAndTime splits a text; the label may be in quotes.
func labelAndTime(form *regexp.Regexp, text []byte) (label string, length time.Duration, ok bool) {
	m := form.FindSubmatch(text)
	if m == nil {
		return "", 0, false
	}
	length, err := time.ParseDuration(string(m[2]))
	label = string(m[1])
	for _, quote := range []string{`"`, "'"} {
		if inner, cut := strings.CutPrefix(label, quote); cut {
			if inner, cut = strings.CutSuffix(inner, quote); cut {
				label = inner
			}
		}
	}
	return label, length, err == nil
}

// checkKind refuses what no rule of its kind can be about.
func (r Rule) checkKind(wrong func(string, ...any)) {
	if t := r.Then; t != nil {
		checkLabels("then", t.Actions, wrong)
		if t.Within <= 0 || t.Within > maxWithin {
			wrong("then: within %v: want more than 0 and at most %v", t.Within, maxWithin)
		}
	}
	a := r.Absent
	if a == nil {
		return
	}
	checkLabels("absent", a.Actions, wrong)
	if a.For <= 0 || a.For > maxAbsent {
		wrong("absent: for %v: want more than 0 and at most %v", a.For, maxAbsent)
	}
	if r.Then != nil {
		wrong("then: want it beside actions, tags or novel, not beside absent")
	}
	if r.FalseAlarms != (Budget{}) {
		wrong("false_alarms: a rule on absence has no budget: want contrast, score or similarity, from which on its labels count as seen")
	}
	if l := r.Levels(); l.Clear != 0 {
		wrong(string(r.Measure())+": clear %v: a rule on absence clears when its labels reach raise: want no clear", l.Clear)
	}
	if r.Cooldown > a.For {
		wrong("cooldown: %v: want at most the %v of absent: after a clear that time begins anew", r.Cooldown, a.For)
	}
}

func checkLabels(key string, labels []string, wrong func(string, ...any)) {
	empty := func(n string) bool { return strings.TrimSpace(n) == "" }
	if len(labels) == 0 {
		wrong(key + ": actions is missing: want one label or more")
	}
	if slices.ContainsFunc(labels, empty) {
		wrong(key + ": an empty label")
	}
}

// trimmed are labels without white space around them.
func trimmed(labels []string) []string {
	labels = slices.Clone(labels)
	for i := range labels {
		labels[i] = strings.TrimSpace(labels[i])
	}
	return labels
}

// names are all labels that the rule names.
func (r Rule) names() []string {
	names := slices.Clone(r.Actions)
	if r.Then != nil {
		names = append(names, r.Then.Actions...)
	}
	if r.Absent != nil {
		names = append(names, r.Absent.Actions...)
	}
	return names
}

// subject is the rule as far as it is about the label that its alerts name: in a
// sequence, what comes second.
func (r Rule) subject() Rule {
	if r.Then != nil {
		r.Actions, r.Tags, r.Novel = r.Then.Actions, nil, false
	}
	return r
}
