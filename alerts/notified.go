package alerts

import (
	"cmp"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// checkNotified checks who gets a rule's alerts, and what is asked about them.
func (r Rule) checkNotified(wrong func(string, ...any)) {
	if err := topics.CheckNotified(r.Notify); err != nil {
		wrong("notify: %w", err)
	}
	if err := cmp.Or(topics.CheckQuestion(r.Verify), topics.CheckPlaceholders(r.Verify)); err != nil {
		wrong("verify: %w", err)
	}
}

// severest is the highest severity that alerts of the rule may have.
func (r Rule) severest() string {
	all := []string{r.usual()}
	from := func(f *SeverityFrom) {
		if f != nil && f.Warning > 0 {
			all = append(all, "warning")
		}
		if f != nil && f.Critical > 0 {
			all = append(all, "critical")
		}
	}
	from(r.SeverityFrom)
	if r.Escalate != nil {
		all = append(all, r.Escalate.Severity)
		if r.Escalate.Severity == "" {
			all = append(all, "critical")
		}
	}
	for _, o := range r.Overrides {
		all = append(all, o.Severity)
		from(o.SeverityFrom)
	}
	return slices.MaxFunc(all, func(a, b string) int { return topics.SeverityRank(a) - topics.SeverityRank(b) })
}

// deaf are the receivers that a rule names and that get none of its alerts, and why.
func (around Surroundings) deaf(r *rule) (why []string) {
	if around.Receivers == nil {
		return nil
	}
	for _, name := range r.Notify {
		if text := around.Receivers(name, r.Name, r.severest()); text != "" {
			why = append(why, text)
		}
	}
	return why
}
