package ruledesk

import (
	"context"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Ready embeds the labels of rules, as far as these or the vocabularies name them, so that
// values that were not recorded can be computed. On a camera those of its vocabulary count,
// and, for rules that are tried, those that none has. It is nil where there is no label.
func (c Contents) Ready(cameras map[string]topics.Camera, rules *alerts.RuleSet, tried bool, embed func([]vocab.Label) (*calibrate.Words, error)) (*calibrate.Words, error) {
	labels, in := c.About(rules, tried)
	if len(labels) == 0 {
		return nil, nil
	}
	words, err := embed(labels)
	if err != nil || !c.Several() {
		return words, err
	}
	return words.In(in, func(camera string, tags []string) string { return c.NameFor(cameras, camera, tags) }), nil
}

// Trial is a rule that is tried beside the one of its name that is in force.
type Trial struct {
	Rules *alerts.RuleSet // both, with what inhibits them
	name  string          // of the rule
	draft string          // its name among Rules
	was   bool            // there is one in force
}

// NewTrial puts a rule beside those in force.
func NewTrial(all *alerts.RuleSet, rule alerts.Rule) (*Trial, error) {
	by := map[string]alerts.Rule{}
	for _, r := range all.Rules() {
		by[r.Name] = r
	}
	t := &Trial{name: rule.Name, draft: "draft"}
	for i := 2; ; i++ {
		if _, taken := by[t.draft]; !taken {
			break
		}
		t.draft = fmt.Sprintf("draft-%d", i)
	}
	set := []alerts.Rule{}
	added := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		r, there := by[name]
		if !there || added[name] {
			return
		}
		added[name] = true
		for _, other := range r.InhibitedBy {
			add(other)
		}
		set = append(set, r)
	}
	add(rule.Name)
	t.was = added[rule.Name]
	for _, other := range rule.InhibitedBy {
		add(other)
	}
	rule.Name = t.draft
	rules, err := alerts.NewRuleSet(append(set, rule)...)
	t.Rules = rules
	return t, err
}

// Thresholds are those that keep budgets, with the draft's: those of the rule in force count
// for it where it watches for the same. want are the cameras for which the draft has a
// budget and no threshold.
func (t *Trial) Thresholds(known []topics.Threshold, cameras map[string][]string) (all []topics.Threshold, want map[string][]alerts.Budgeted) {
	of := map[string]topics.Threshold{}
	for _, k := range known {
		if k.Rule == t.name {
			of[k.Camera] = k
		}
	}
	all, want = known, map[string][]alerts.Budgeted{}
	for camera, tags := range cameras {
		for _, b := range t.Rules.Budgeted(camera, tags) {
			if b.Name != t.draft {
				continue
			}
			if k, has := of[camera]; has && k.RuleHash == b.Hash {
				k.Rule = t.draft
				all = append(all, k)
			} else {
				want[camera] = append(want[camera], b)
			}
		}
	}
	return all, want
}

// Fleet is on how many cameras the draft counts, for a budget of all of them.
func (t *Trial) Fleet(cameras map[string][]string) map[string]int {
	n := 0
	for camera, tags := range cameras {
		if _, watches := t.Rules.On(t.draft, camera, tags); watches {
			n++
		}
	}
	return map[string]int{t.draft: n}
}

// Split are the alerts of the draft, under the rule's name, and those of the rule in force.
func (t *Trial) Split(all []topics.Alert) (would, does []topics.Alert) {
	for _, a := range all {
		switch a.Rule {
		case t.draft:
			a.Rule = t.name
			would = append(would, a)
		case t.name:
			does = append(does, a)
		}
	}
	return would, does
}

// Lately is the past since a time: budgets look back no further.
type Lately struct {
	calibrate.Past
	Since time.Time
}

// Scan reads no earlier than Since.
func (p Lately) Scan(ctx context.Context, g archive.Range, fn func(archive.Batch) error) (archive.Counts, error) {
	if g.Since.Before(p.Since) {
		g.Since = p.Since
	}
	return p.Past.Scan(ctx, g, fn)
}
