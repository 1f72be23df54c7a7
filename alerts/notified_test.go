package alerts

import (
	"slices"
	"testing"
	"time"
)

// Whom an alert is for is decided when it is raised: an edit of the rule, also while the
// worker is away, takes no clear from those who got the raise.
func TestAnAlertIsForThoseOfItsRaise(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Escalate: &Escalate{After: 4 * time.Second}, Notify: []string{"ops"}, Verify: "Is a person on the floor?"}
	e := newEngine(t, rule)
	raised := e.Evaluate(clipAt(t0, 0, fall(.9)))[0]
	if !slices.Equal(raised.Notify, rule.Notify) || raised.Verify != rule.Verify {
		t.Errorf("raised for %q, asking %q", raised.Notify, raised.Verify)
	}
	edited := rule
	edited.Notify = []string{"desk"}
	e = newEngine(t, edited)
	e.Restore(raised)
	if got := e.Evaluate(clipAt(t0, 2, fall(.9))); len(got) != 1 || !slices.Equal(got[0].Notify, rule.Notify) {
		t.Errorf("escalated as %+v", got)
	}
	gone := e.SetRules(ruleSet(t))
	if len(gone) != 1 || !slices.Equal(gone[0].Notify, rule.Notify) || gone[0].Verify != "" {
		t.Errorf("cleared as %+v", gone)
	}
	if rule.Hash() != edited.Hash() {
		t.Error("who is told changes what is watched for: thresholds and counts would begin anew")
	}
}
