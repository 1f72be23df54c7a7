package alerts

import (
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// Budgeted is a rule with a budget of false alarms as it is on a camera.
type Budgeted struct {
	Rule
	Hash string // that its thresholds carry
}

// Budgeted are the rules with a budget that watch a camera with these tags, in the
// rules' order.
func (s *RuleSet) Budgeted(camera string, tags []string) (out []Budgeted) {
	for _, r := range s.all() {
		if own := r.on(camera, tags); own != nil && own.FalseAlarms != (Budget{}) {
			out = append(out, Budgeted{own.Rule, own.hash})
		}
	}
	return out
}

// WithBudgets are the names of the rules that have a budget, on some camera at least.
func (s *RuleSet) WithBudgets() (names []string) {
	for _, r := range s.all() {
		if r.FalseAlarms != (Budget{}) || slices.ContainsFunc(r.Overrides, func(o Override) bool { return o.FalseAlarms != (Budget{}) }) {
			names = append(names, r.Name)
		}
	}
	return names
}

// On is a rule as it is on a camera with these tags; ok is false if there is no rule
// of this name, or it does not watch the camera.
func (s *RuleSet) On(name, camera string, tags []string) (r Rule, ok bool) {
	base := s.either(name)
	if base == nil {
		return r, false
	}
	own := base.on(camera, tags)
	if own == nil {
		return r, false
	}
	return own.Rule, true
}

// Selects is whether the rule is about the label.
func (r Rule) Selects(l topics.LabelScore) bool { return r.selects(&l) }

// Parts are what the rule wants to be seen, each as a rule about its labels: two for a
// sequence, one for others.
func (r Rule) Parts() []Rule {
	if r.Then != nil {
		return []Rule{r, r.subject()}
	}
	return []Rule{r}
}

// Alone is the rule without what ties it to cameras and to other rules, so that it can
// be tried in a set of its own.
func (r Rule) Alone() Rule {
	r.Cameras, r.CameraTags, r.Overrides, r.InhibitedBy = nil, nil, nil, nil
	return r
}
