package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/changes"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// RuleSet is a list of rules that have been checked, ready for an Engine. It never
// changes: one may serve any number of engines. The zero value and nil hold no
// rules.
type RuleSet struct {
	rules   []*rule // about labels, as in the file
	order   []*rule // these, each after those that inhibit it
	streams []*rule // about streams
	// incomplete: there may be more rules, in a store that has not been read yet.
	incomplete bool
}

// Compile reads the rules of a configuration file. The error names file, line, key,
// value and what is allowed, for each mistake.
func Compile(raw config.Raw) (*RuleSet, error) {
	var rules []Rule
	part, err := raw.Decode(&rules)
	if err != nil {
		return nil, err
	}
	set := compile(rules, func(i int, err error) {
		var m *mistake
		key := "name"
		if errors.As(err, &m) {
			key = m.key
		}
		part.WrongAt(fmt.Sprintf("[%d]", i), key, strings.ReplaceAll(err.Error(), "\n", "; "))
	})
	if err := part.Err(); err != nil {
		return nil, err
	}
	return set, nil
}

// NewRuleSet checks rules that do not come from a file.
func NewRuleSet(rules ...Rule) (*RuleSet, error) {
	var errs []error
	set := compile(rules, func(_ int, err error) { errs = append(errs, err) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, nil
}

func compile(rules []Rule, wrong func(i int, err error)) *RuleSet {
	set := &RuleSet{}
	seen := map[string]bool{}
	for i, r := range rules {
		compiled, errs := r.compile()
		for _, err := range errs {
			wrong(i, err)
		}
		if seen[r.Name] {
			wrong(i, fmt.Errorf("the name %q is used twice", r.Name))
		}
		seen[r.Name] = true
		if r.Stream != nil {
			set.streams = append(set.streams, compiled)
		} else {
			set.rules = append(set.rules, compiled)
		}
	}
	if slices.Contains(set.both(), nil) { // wrong, and said to be
		return set
	}
	order, circle := ordered(set.rules)
	if circle != nil {
		i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == circle.Name })
		wrong(i, rules[i].mistake("inhibited_by", circular))
	}
	set.order = order
	return set
}

// all are the rules about labels.
func (s *RuleSet) all() []*rule {
	if s == nil {
		return nil
	}
	return s.rules
}

// inOrder are the rules, each after those that inhibit it.
func (s *RuleSet) inOrder() []*rule {
	if s == nil {
		return nil
	}
	return s.order
}

func (s *RuleSet) isIncomplete() bool { return s != nil && s.incomplete }

// onStreams are the rules about streams.
func (s *RuleSet) onStreams() []*rule {
	if s == nil {
		return nil
	}
	return s.streams
}

// onStream is the rule about streams of a name, nil where there is none.
func (s *RuleSet) onStream(name string) *rule {
	for _, r := range s.onStreams() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// both are the rules about labels and then those about streams.
func (s *RuleSet) both() []*rule { return slices.Concat(s.all(), s.onStreams()) }

// either is the rule of a name, whatever it is about, nil where there is none.
func (s *RuleSet) either(name string) *rule {
	if r := s.find(name); r != nil {
		return r
	}
	return s.onStream(name)
}

// Names are the rules' names: those about labels in the order of the file, and then
// those about streams.
func (s *RuleSet) Names() (names []string) {
	for _, r := range s.both() {
		names = append(names, r.Name)
	}
	return names
}

// Rules are the rules, in the order of Names.
func (s *RuleSet) Rules() (rules []Rule) {
	for _, r := range s.both() {
		rules = append(rules, r.Rule)
	}
	return rules
}

// find is the rule about labels of a name, nil where there is none.
func (s *RuleSet) find(name string) *rule {
	for _, r := range s.all() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Since returns how s differs from an older set, as names of rules.
func (s *RuleSet) Since(old *RuleSet) changes.Names {
	return changes.Between(old.both(), s.both(), func(r *rule) (string, any) { return r.Name, r.Rule })
}

// rule is a checked rule.
type rule struct {
	Rule
	active   active
	kind     kind
	hash     string // of the rule with its overrides, also for variants of it
	variants []variant
}

func newRule(r Rule, on active) *rule {
	if r.Actions = trimmed(r.Actions); r.Absent != nil {
		r.Absent = &Absent{trimmed(r.Absent.Actions), r.Absent.For}
	}
	if r.Then != nil {
		r.Then = &Then{trimmed(r.Then.Actions), r.Then.Within}
	}
	r.Severity = r.usual()
	if r.Stream == nil { // a rule on streams has no clips, and is refused with any
		r.Clips = r.Clips.orOne()
	}
	return &rule{Rule: r, active: on, kind: kindOf(r), hash: r.Hash()}
}

func kindOf(r Rule) kind {
	switch {
	case r.Then != nil:
		return sequence{r}
	case r.Absent != nil:
		return absence{r}
	}
	return nOfM{r}
}

// selects is whether the rule is about the label.
func (r *Rule) selects(l *topics.LabelScore) bool {
	names := r.named()
	switch {
	case !r.looksAt(l):
		return false
	case len(names) > 0:
		return slices.ContainsFunc(names, func(a string) bool { return vocab.SameLabel(a, l.Label) })
	case l.Background:
		return false
	case r.Novel:
		return l.Novel
	}
	return slices.ContainsFunc(r.Tags, func(t string) bool { return slices.Contains(l.Tags, t) })
}

// named are the labels that the rule names; none where it selects them otherwise.
func (r *Rule) named() []string {
	if r.Absent != nil {
		return r.Absent.Actions
	}
	return r.Actions
}

// cooldown of a rule, 0 for one that was removed.
func (r *rule) cooldown() time.Duration {
	if r == nil {
		return 0
	}
	return r.Cooldown
}
