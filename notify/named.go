package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// chooses is whether an alert is among those that the receiver gets: its rule names it, or
// nobody, and `when` chooses it.
func (r *receiver) chooses(a topics.Alert) bool {
	return (len(a.Notify) == 0 || slices.Contains(a.Notify, r.Name)) && r.When.chooses(a)
}

// WhyNot is why a receiver that a rule names gets none of its alerts, which are of at most
// that severity; empty: it gets them.
func (p *Plan) WhyNot(name, rule, severest string) string {
	r := p.find(name)
	switch {
	case r == nil && len(p.all()) == 0:
		return fmt.Sprintf("it notifies %q, and notify.receivers is empty", name)
	case r == nil:
		return fmt.Sprintf("it notifies %q, and notify.receivers has only %s", name, strings.Join(p.Names(), ", "))
	case !topics.Chosen(rule, nil, r.When.Rules, nil):
		return fmt.Sprintf("it notifies %s, whose when.rules leaves it out", name)
	case topics.SeverityRank(severest) < topics.SeverityRank(r.When.Severity):
		return fmt.Sprintf("it notifies %s, whose when.severity is %s, and its alerts are %s at most", name, r.When.Severity, severest)
	}
	return ""
}

// missNamed reports the receivers that an alert's rule names and that there are not: its
// alerts may reach nobody.
func (w *worker) missNamed(ctx context.Context, a topics.Alert) {
	if a.State != topics.AlertRaised {
		return
	}
	plan, _ := w.plan()
	for _, name := range a.Notify {
		if plan.find(name) != nil {
			continue
		}
		err := fmt.Errorf("the rule %s notifies it, and notify.receivers has none of that name", topics.Clean(a.Rule))
		w.Logger.WarnContext(ctx, "an alert is for a receiver that there is not", "receiver", name, "alert", topics.Clean(a.ID))
		w.Reporter.Incident("receiver "+name, err)
	}
}
