package console

import (
	"context"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// watching are rules, each with the cameras of a vocabulary that it watches.
type watching []watchingRule

type watchingRule struct {
	alerts.Rule
	cameras []string
}

// watching are the rules in force that watch cameras of a vocabulary which who asks may
// see, and how many such cameras there are.
func (c *Console) watching(ctx context.Context, vocabulary string) (out watching, cameras int) {
	who := c.whoOf(ctx)
	all, _ := c.cameras.List() // before it is read there are none
	var there []topics.Camera
	for _, e := range all {
		if who.Sees(e.Tags) && c.Config.Vocab.Of(e.Camera) == vocabulary {
			there = append(there, e.Camera)
		}
	}
	for _, r := range c.wall.inForce().Rules() {
		one := watchingRule{Rule: r}
		for _, camera := range there {
			if r.Watches(camera.Name, camera.Tags) {
				one.cameras = append(one.cameras, camera.Name)
			}
		}
		if len(one.cameras) > 0 || who.All {
			out = append(out, one)
		}
	}
	return out, len(there)
}

// inForce are the rules.
func (w *wall) inForce() *alerts.RuleSet {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rules
}

// selects is whether a rule is about a label, wherever it is seen.
func selects(r alerts.Rule, l vocab.Label) bool {
	score := topics.LabelScore{Label: l.Name, Tags: l.Tags, Background: l.Background}
	return slices.ContainsFunc(r.Parts(), func(part alerts.Rule) bool {
		part.Zone = nil
		return part.Stream == nil && part.Selects(score)
	})
}

// of are the rules about a label, and on how many cameras any of them watches.
func (all watching) of(l vocab.Label) (rules []string, cameras int) {
	seen := map[string]bool{}
	for _, r := range all {
		if !selects(r.Rule, l) {
			continue
		}
		rules = append(rules, topics.Clean(r.Name))
		for _, camera := range r.cameras {
			seen[camera] = true
		}
	}
	return rules, len(seen)
}

// naming are the rules that name a label.
func (all watching) naming(label string) (rules []string) {
	for _, r := range all {
		named := slices.Clone(r.Actions)
		if r.Then != nil {
			named = append(named, r.Then.Actions...)
		}
		if r.Absent != nil {
			named = append(named, r.Absent.Actions...)
		}
		if slices.ContainsFunc(named, func(n string) bool { return vocab.SameLabel(n, label) }) {
			rules = append(rules, topics.Clean(r.Name))
		}
	}
	return rules
}
