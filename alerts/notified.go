package alerts

import (
	"fmt"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// checkNotified checks who gets a rule's alerts, and what is asked about them.
func (r Rule) checkNotified(wrong func(string, ...any)) {
	if err := topics.CheckNotified(r.Notify); err != nil {
		wrong("notify: %w", err)
	}
	if err := topics.CheckQuestion(r.Verify); err != nil {
		wrong("verify: %w", err)
	}
}

// checkEdited is what a rule must keep besides where somebody writes it now. A rule that is
// in the file or in Redis already is reported and stays in force: versions before took it.
func (r Rule) checkEdited() error {
	if err := topics.CheckPlaceholders(r.Verify); err != nil {
		return r.mistake("verify", "verify: %w", err)
	}
	return nil
}

// misasked is what is wrong with the question of a rule that stays in force.
func (r Rule) misasked() (why []string) {
	if err := topics.CheckPlaceholders(r.Verify); err != nil {
		why = append(why, fmt.Sprintf("verify: %v: it is asked as it is written", err))
	}
	return why
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
