package alerts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

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
func ParseRule(name, value string) (Rule, error) { return ParseRuleFrom("value", name, value) }

// ParseRuleFrom is ParseRule of a value that is not in a store yet. source is the name of
// its file, which mistakes begin with; empty: it is not from a file.
func ParseRuleFrom(source, name, value string) (Rule, error) {
	r, err := readRule(source, name, value)
	if err == nil {
		err = r.checkEdited()
	}
	return r, err
}

// readRule reads a rule that is in a store, also as versions before wrote it.
func readRule(source, name, value string) (Rule, error) {
	var r Rule
	if len(value) > maxStoredValue {
		return r, fmt.Errorf("a value of %d bytes: at most %d", len(value), maxStoredValue)
	}
	raw, err := config.RawOf(source, []byte(value))
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
		if more := len(errs) - maxReasons; more > 0 {
			errs = append(errs[:maxReasons:maxReasons], fmt.Errorf("%d more mistakes", more))
		}
		return r, errors.Join(errs...)
	}
	return r, nil
}

// ParseStored reads the content of a store. One that can't be used becomes a problem
// and affects no other.
func ParseStored(c vocab.Content) Stored { return storedParser{}.parse(c) }

// storedParser remembers what it has parsed, by name, so that an edit of one rule does
// not parse a thousand.
type storedParser map[string]parsedRule

type parsedRule struct {
	value string
	rule  Rule
	err   error
}

func (p storedParser) parse(c vocab.Content) Stored {
	s := Stored{Version: c.Version}
	maps.DeleteFunc(p, func(name string, was parsedRule) bool {
		value, is := c.Entries[name]
		return !is || value != was.value
	})
	for _, name := range slices.Sorted(maps.Keys(c.Entries)) {
		value := c.Entries[name]
		r, known := p[name]
		if !known {
			r.value = value
			r.rule, r.err = readRule("value", name, value)
			p[name] = r
		}
		if r.err != nil {
			s.Problems = append(s.Problems, RuleProblem{name, r.err})
			continue
		}
		s.Rules = append(s.Rules, r.rule)
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

// oneByOne adds those rules that go together with the ones before them. Each is right by
// itself, so it is refused only if it closes a circle of rules that inhibit each other.
func oneByOne(rules, more []Rule) (all []Rule, refused []RuleProblem) {
	inhibitors := map[string][]string{}
	for _, r := range rules {
		inhibitors[r.Name] = r.InhibitedBy
	}
	for _, r := range more {
		if leadsTo(r.Name, r.InhibitedBy, inhibitors) {
			refused = append(refused, RuleProblem{r.Name, r.mistake("inhibited_by", circular)})
			continue
		}
		inhibitors[r.Name] = r.InhibitedBy
		rules = append(rules, r)
	}
	return rules, refused
}

// joined compiles rules that are known to be right.
func joined(rules []Rule, incomplete bool) *RuleSet {
	set := compile(rules, func(int, error) {})
	set.incomplete = incomplete
	return set
}

// Parser is ParseStored that remembers what it has parsed: many long rules take long. The
// zero value is ready. Safe for concurrent use.
type Parser struct {
	mu   sync.Mutex
	past storedParser
}

// Parse reads the content of a store.
func (p *Parser) Parse(c vocab.Content) Stored {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.past == nil {
		p.past = storedParser{}
	}
	return p.past.parse(c)
}
