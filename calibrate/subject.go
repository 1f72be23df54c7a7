package calibrate

import (
	"fmt"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Subjects are the labels and rules that a truth may name.
type Subjects struct {
	// Vocabulary are the labels that a camera is compared with, and those that rules name.
	Vocabulary func(camera string) []vocab.Label
	Rules      *alerts.RuleSet     // nil: none
	Tags       map[string][]string // of cameras, by name
	Zones      Zones               // nil: there are none
	// Nearest returns what a person may have meant by a text, or nothing; nil: never
	// anything.
	Nearest func(text string, known []string) string
}

// subject is a label or a rule that is judged.
type subject struct {
	name  string
	sites map[string]*placedSubject // by camera
}

// placedSubject is a subject on a camera.
type placedSubject struct {
	rule   alerts.Rule
	labels []vocab.Label
	parts  [][2]int // the first and the last label, exclusive, of each part of the rule
	first  int      // of the columns of the camera's series
}

// resolve finds what a truth is about.
func (s *Subjects) resolve(t *Truth) ([]*subject, error) {
	var wrong Mistakes
	var out []*subject
	for _, name := range t.Names {
		of := &subject{name: name, sites: map[string]*placedSubject{}}
		find := s.label
		if t.Rules {
			find = s.rule
		}
		if err := find(of, t, &wrong); err != nil {
			wrong.add(t.line(name), "%v", err)
		}
		out = append(out, of)
	}
	return out, wrong.err()
}

// label makes a rule that raises when a clip shows the label, on the cameras whose
// vocabulary has it.
func (s *Subjects) label(of *subject, t *Truth, wrong *Mistakes) error {
	var known []string
	lacking := Mistakes{}
	for _, camera := range t.Cameras() {
		all := s.Vocabulary(camera)
		i := slices.IndexFunc(all, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, of.name) })
		if i >= 0 {
			of.sites[camera] = &placedSubject{rule: alerts.Rule{Name: "label", Actions: []string{all[i].Name}}, labels: all[i : i+1 : i+1], parts: [][2]int{{0, 1}}}
			continue
		}
		for _, l := range all {
			known = append(known, l.Name)
		}
		if cases := t.cases[of.name][camera]; len(cases) > 0 {
			lacking.add(cases[0].line, "label %q is neither in the vocabulary of camera %s nor in a rule", of.name, camera)
		}
	}
	if len(of.sites) == 0 {
		return fmt.Errorf("label %q is neither in the vocabulary nor in a rule%s", of.name, s.meant(of.name, known))
	}
	*wrong = append(*wrong, lacking...)
	return nil
}

// rule finds a rule as it is on each camera that was watched.
func (s *Subjects) rule(of *subject, t *Truth, wrong *Mistakes) error {
	if !slices.Contains(s.Rules.Names(), of.name) {
		return fmt.Errorf("there is no rule %q%s", of.name, s.meant(of.name, s.Rules.Names()))
	}
	for _, camera := range t.Cameras() {
		own, watches := s.Rules.On(of.name, camera, s.Tags[camera])
		if !watches {
			if cases := t.cases[of.name][camera]; len(cases) > 0 {
				wrong.add(cases[0].line, "rule %s does not watch camera %s", of.name, camera)
			}
			continue
		}
		if err := judgeable(own); err != nil {
			return fmt.Errorf("rule %s: %w", of.name, err)
		}
		labels, parts, whole := partsOf(own, &vocab.Vocabulary{Labels: s.Vocabulary(camera)}, nil)
		if !whole {
			return fmt.Errorf("rule %s: the vocabulary of camera %s has none of its labels", of.name, camera)
		}
		of.sites[camera] = &placedSubject{rule: own, labels: labels, parts: parts}
	}
	return nil
}

// judgeable is why a rule can't be tried at other thresholds.
func judgeable(r alerts.Rule) error {
	switch {
	case r.Stream != nil || r.Absent != nil:
		return fmt.Errorf("want a rule that raises when something is seen: others have no threshold to calibrate")
	case r.Count != nil:
		return fmt.Errorf("want a rule that raises alerts of single cameras: it counts cameras")
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
