package alerts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/vocab"
)

// Bounds on the rules in Redis, which anyone may write.
const (
	maxStored      = 1000
	maxStoredValue = 16 << 10 // bytes
)

// Stored are the rules that a store holds (see Store).
type Stored struct {
	Version  string // a hash of the content, so that all workers work out the same
	Rules    []Rule // sorted by name
	Problems []RuleProblem
}

// RuleProblem is a rule of a store that is skipped, and why.
type RuleProblem struct {
	Rule string // the field as it is, not cleaned
	Err  error
}

// ParseRule reads a rule of a store: YAML, or JSON, with the keys of a rule in the
// configuration file except its name.
func ParseRule(name, value string) (Rule, error) {
	var r Rule
	if len(value) > maxStoredValue {
		return r, fmt.Errorf("a value of %d bytes: at most %d", len(value), maxStoredValue)
	}
	raw, err := config.RawOf("value", []byte(value))
	if err != nil {
		return r, err
	}
	if _, err := raw.Decode(&r); err != nil {
		return r, err
	}
	if r.Name != "" && r.Name != name {
		return r, fmt.Errorf("name: %.70q: a rule in Redis is named by its field: leave name out", r.Name)
	}
	r.Name = name
	if _, errs := r.compile(); len(errs) > 0 {
		return r, errors.Join(errs...)
	}
	return r, nil
}

// ParseStored reads the content of a store. One that can't be used becomes a problem
// and affects no other.
func ParseStored(c vocab.Content) Stored {
	s := Stored{Version: c.Version}
	for _, name := range slices.Sorted(maps.Keys(c.Entries)) {
		r, err := ParseRule(name, c.Entries[name])
		if err != nil {
			s.Problems = append(s.Problems, RuleProblem{name, err})
			continue
		}
		s.Rules = append(s.Rules, r)
	}
	return s
}

// Join adds the rules of a store to those of the configuration file. A stored rule
// with the name of one in the file is refused, and so is one that does not go
// together with the others; skipped are these and the store's own problems, sorted
// by name. A nil store is one that has not been read yet: alerts of rules that the
// file does not have stay open until it is.
func Join(file *RuleSet, stored *Stored) (all *RuleSet, skipped []RuleProblem) {
	rules := file.Rules()
	if stored == nil {
		return joined(rules, true), nil
	}
	skipped = slices.Clone(stored.Problems)
	var more []Rule
	for _, r := range stored.Rules {
		if file.either(r.Name) != nil {
			skipped = append(skipped, RuleProblem{r.Name, errors.New("the configuration file has a rule of this name too, which counts: remove one of them, or give it another name")})
			continue
		}
		more = append(more, r)
	}
	if _, err := NewRuleSet(slices.Concat(rules, more)...); err == nil {
		rules = append(rules, more...)
	} else {
		var refused []RuleProblem
		rules, refused = oneByOne(rules, more)
		skipped = append(skipped, refused...)
	}
	slices.SortFunc(skipped, func(a, b RuleProblem) int { return strings.Compare(a.Rule, b.Rule) })
	return joined(rules, false), skipped
}

// oneByOne adds those rules that go together with the ones before them.
func oneByOne(rules, more []Rule) (all []Rule, refused []RuleProblem) {
	for _, r := range more {
		with := append(slices.Clip(rules), r)
		if _, err := NewRuleSet(with...); err != nil {
			refused = append(refused, RuleProblem{r.Name, err})
			continue
		}
		rules = with
	}
	return rules, refused
}

// joined compiles rules that are known to be right.
func joined(rules []Rule, incomplete bool) *RuleSet {
	set := compile(rules, func(int, error) {})
	set.incomplete = incomplete
	return set
}
