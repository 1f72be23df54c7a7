package calibrate

import (
	"fmt"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Subjects are the labels and rules that a truth may name.
type Subjects struct {
	Vocabulary []vocab.Label       // and labels that rules name
	Rules      *alerts.RuleSet     // nil: none
	Tags       map[string][]string // of cameras, by name
	// Nearest returns what a person may have meant by a text, or nothing; nil: never
	// anything.
	Nearest func(text string, known []string) string
}

// subject is a label or a rule that is judged.
type subject struct {
	name   string
	labels []vocab.Label
	parts  [][2]int // the first and the last label, exclusive, of each part of the rule
	rules  map[string]alerts.Rule
	first  map[string]int // of the columns of a camera's series, by camera
}

// resolve finds what a truth is about.
func (s *Subjects) resolve(t *Truth) ([]*subject, error) {
	var wrong Mistakes
	var out []*subject
	for _, name := range t.Names {
		of := &subject{name: name, rules: map[string]alerts.Rule{}, first: map[string]int{}}
		err := s.label(of, t)
		if t.Rules {
			err = s.rule(of, t, &wrong)
		}
		if err != nil {
			wrong.add(t.line(name), "%v", err)
		}
		out = append(out, of)
	}
	return out, wrong.err()
}

// label makes a rule that raises when a clip shows the label.
func (s *Subjects) label(of *subject, t *Truth) error {
	if t.Rules {
		return nil
	}
	var known []string
	for _, l := range s.Vocabulary {
		known = append(known, l.Name)
		if vocab.SameLabel(l.Name, of.name) {
			of.labels, of.parts = []vocab.Label{l}, [][2]int{{0, 1}}
			for _, camera := range t.Cameras() {
				of.rules[camera] = alerts.Rule{Name: "label", Actions: []string{l.Name}}
			}
			return nil
		}
	}
	return fmt.Errorf("label %q is neither in the vocabulary nor in a rule%s", of.name, s.meant(of.name, known))
}

// rule finds a rule as it is on each camera that was watched.
func (s *Subjects) rule(of *subject, t *Truth, wrong *Mistakes) error {
	var rule *alerts.Rule
	for _, r := range s.Rules.Rules() {
		if r.Name == of.name {
			rule = &r
		}
	}
	if rule == nil {
		return fmt.Errorf("there is no rule %q%s", of.name, s.meant(of.name, s.Rules.Names()))
	}
	for _, camera := range t.Cameras() {
		own, watches := s.Rules.On(of.name, camera, s.Tags[camera])
		switch cases := t.cases[of.name][camera]; {
		case watches:
			if err := judgeable(own); err != nil {
				return fmt.Errorf("rule %s: %w", of.name, err)
			}
			of.rules[camera] = own
		case len(cases) > 0:
			wrong.add(cases[0].line, "rule %s does not watch camera %s", of.name, camera)
		}
	}
	for _, part := range rule.Parts() {
		labels := labelsOf(part, &vocab.Vocabulary{Labels: s.Vocabulary}, nil)
		if len(labels) == 0 {
			return fmt.Errorf("rule %s: the vocabulary has none of its labels", of.name)
		}
		of.parts = append(of.parts, [2]int{len(of.labels), len(of.labels) + len(labels)})
		of.labels = append(of.labels, labels...)
	}
	return nil
}

// judgeable is why a rule can't be tried at other thresholds.
func judgeable(r alerts.Rule) error {
	switch {
	case r.Stream != nil || r.Absent != nil:
		return fmt.Errorf("want a rule that raises when something is seen: others have no threshold to calibrate")
	case r.Novel:
		return fmt.Errorf("want a rule that names labels or tags: which labels are novel depends on the model")
	case r.Measure() != alerts.ByContrast:
		return fmt.Errorf("want a rule on contrast or with false_alarms: it compares %s", r.Measure())
	}
	return nil
}

func (s *Subjects) meant(text string, known []string) string {
	if s.Nearest == nil {
		return ""
	}
	if near := s.Nearest(text, known); near != "" {
		return fmt.Sprintf(": %q may be meant", topics.Clean(near))
	}
	return ""
}
