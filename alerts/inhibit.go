package alerts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// ordered puts rules behind those that inhibit them, and leaves their order as it is
// otherwise, so that of two alerts that one clip would raise the inhibiting one is
// there first. The second result is a rule that inhibits itself, over others maybe;
// nil where none does.
func ordered(rules []*rule) (out []*rule, circle *rule) {
	byName := map[string]*rule{}
	for _, r := range rules {
		byName[r.Name] = r
	}
	const begun, done = 1, 2
	state := map[*rule]int{}
	var visit func(r *rule)
	visit = func(r *rule) {
		switch state[r] {
		case begun:
			circle = r
			return
		case done:
			return
		}
		state[r] = begun
		for _, name := range r.InhibitedBy {
			if by := byName[name]; by != nil {
				visit(by)
			}
		}
		state[r] = done
		out = append(out, r)
	}
	for _, r := range rules {
		visit(r)
	}
	return out, circle
}

// circular is what is wrong with a rule that inhibits itself, over others maybe.
const circular = "inhibited_by: rules that inhibit each other in a circle: none of them would ever be decided first"

// leadsTo is whether a rule is among those of the names, or inhibits one of them, over
// others maybe.
func leadsTo(rule string, names []string, inhibitors map[string][]string) bool {
	seen := map[string]bool{}
	for todo := slices.Clone(names); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if name == rule {
			return true
		}
		if !seen[name] {
			seen[name] = true
			todo = append(todo, inhibitors[name]...)
		}
	}
	return false
}

// inhibitor is the rule whose open alert on the camera keeps this one from raising
// another; empty where there is none.
func (w *watch) inhibitor() string {
	i := slices.IndexFunc(w.inhibitors, func(by *watch) bool { return by.open != nil })
	if i < 0 {
		return ""
	}
	return w.inhibitors[i].rule.Name
}

// decided is whether alerts of an inhibiting rule on later clips were restored. Then
// what this rule raised on the clip is published, and whether it was inhibited then
// is not known any more.
func (w *watch) decided(rec *topics.Recognition) bool {
	return slices.ContainsFunc(w.inhibitors, func(by *watch) bool { return rec.End.Before(by.known) })
}

// unknownInhibitors are the rules under inhibited_by that there are none of, or that
// watch none of this rule's cameras.
func (s *RuleSet) unknownInhibitors(r *rule, cameras map[string][]string) (why []string) {
	for _, name := range r.InhibitedBy {
		by := s.find(name)
		if by == nil && s.onStream(name) != nil {
			why = append(why, fmt.Sprintf("rule %q is about streams: such rules inhibit no others", name))
			continue
		}
		if by != nil && by.Count != nil {
			why = append(why, fmt.Sprintf("rule %q counts cameras: such rules inhibit no others", name))
			continue
		}
		if by == nil {
			why = append(why, fmt.Sprintf("there is no rule %q to inhibit it", name))
			continue
		}
		both, own := false, false
		for camera, tags := range cameras {
			if r.watches(camera, tags) {
				own = true
				both = both || by.watches(camera, tags)
			}
		}
		if own && !both {
			why = append(why, fmt.Sprintf("rule %q, which is to inhibit it, watches none of its cameras", name))
		}
	}
	return why
}

// maxInhibitors bounds the time that it takes to find circles.
const maxInhibitors = 32

func (r Rule) checkInhibitors(wrong func(string, ...any)) {
	if n := len(r.InhibitedBy); n > maxInhibitors {
		wrong("inhibited_by: %d rules: want at most %d", n, maxInhibitors)
	}
	for _, name := range r.InhibitedBy {
		if strings.TrimSpace(name) == "" {
			wrong("inhibited_by: an empty name")
		}
		if name == r.Name {
			wrong("inhibited_by: %q: a rule can't inhibit itself", name)
		}
	}
}
