package ruledesk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Effect is what a rule in the store does. Its texts are cleaned.
type Effect struct {
	Watches string  // which cameras, in words; empty: not known
	Without string  // what keeps it from taking full effect; empty: nothing
	Others  []Other // that it keeps from taking full effect
}

// Other is a rule, and what keeps it from taking full effect.
type Other struct{ Rule, Why string }

// Effect says which cameras a stored rule watches, and what keeps it from taking full
// effect. It is empty for one that is not in force.
func (d *Desk) Effect(ctx context.Context, name string, around Around) (e Effect, err error) {
	stored, err := d.stored(ctx)
	if err != nil {
		return e, err
	}
	all, _ := alerts.Join(d.File, &stored)
	i := slices.Index(all.Names(), name)
	if i < 0 {
		return e, nil
	}
	if around.Cameras != nil {
		e.Watches = WatchedText(all.Rules()[i], around.Cameras)
	}
	idle := all.WithoutEffect(around.Surroundings)
	if err := idle[name]; err != nil {
		e.Without = topics.Clean(err.Error()) + meantLabels(all.Rules()[i], around)
	}
	stored.Rules = slices.DeleteFunc(slices.Clone(stored.Rules), func(r alerts.Rule) bool { return r.Name == name })
	others, _ := alerts.Join(d.File, &stored)
	before := others.WithoutEffect(around.Surroundings)
	for _, other := range others.Names() { // of two that watch for the same, only one is warned of
		if err, was := idle[other], before[other]; err != nil && (was == nil || was.Error() != err.Error()) {
			e.Others = append(e.Others, Other{topics.Clean(other), topics.Clean(err.Error())})
		}
	}
	return e, nil
}

// Idle returns the names of all rules, and by name what keeps one from taking full effect.
func (d *Desk) Idle(ctx context.Context) (all []string, idle map[string]error, err error) {
	stored, err := d.stored(ctx)
	if err != nil {
		return nil, nil, err
	}
	joined, _ := alerts.Join(d.File, &stored)
	return joined.Names(), joined.WithoutEffect(d.Around(ctx).Surroundings), nil
}

// Write writes the effect, a line each.
func (e Effect) Write(b *strings.Builder) {
	if e.Watches != "" {
		fmt.Fprintf(b, "  %s\n", e.Watches)
	}
	if e.Without != "" {
		fmt.Fprintf(b, "  without full effect: %s\n", e.Without)
	}
	for _, o := range e.Others {
		fmt.Fprintf(b, "  rule %s is now without full effect: %s\n", o.Rule, o.Why)
	}
}

// meantLabels names the labels that may have been meant by those that the vocabularies
// of the rule's cameras do not have.
func meantLabels(r alerts.Rule, around Around) string {
	var there []string
	for _, name := range around.VocabulariesOf(r) {
		if v := around.Contents.Words(name); v != nil {
			for _, l := range v.Labels {
				there = append(there, l.Name)
			}
		}
	}
	var out strings.Builder
	for _, action := range r.Actions {
		if meant := vocab.Nearest(action, there); meant != "" && !strings.EqualFold(meant, action) {
			fmt.Fprintf(&out, " (there is %s)", topics.Clean(fmt.Sprintf("%q", meant)))
		}
	}
	return out.String()
}

// WatchedText says which cameras a rule watches.
func WatchedText(r alerts.Rule, cameras map[string][]string) string {
	const most = 10
	var names []string
	for name, tags := range cameras {
		if r.Watches(name, tags) {
			names = append(names, topics.Clean(name))
		}
	}
	slices.Sort(names)
	switch {
	case len(cameras) == 0:
		return "there are no cameras yet"
	case len(names) == 0:
		return "watches no camera"
	case len(names) == len(cameras) && len(names) > 1:
		return fmt.Sprintf("watches all %d cameras", len(names))
	}
	text := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("watches %d of %d cameras: %s", len(names), len(cameras), text)
}
