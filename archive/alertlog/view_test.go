package alertlog

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The archive, Kafka and the table of open alerts are read one after another, so
// that an alert's records may come in any order, and more than once.
func TestAnAlertIsPutTogetherFromItsRecords(t *testing.T) {
	raised := topics.Alert{ID: "fall/1", State: topics.AlertRaised, Rule: "fall", Severity: "warning", Camera: "lobby", Label: "falling", Score: .9, At: time.Unix(10, 0)}
	escalated, cleared := raised, raised
	escalated.State, escalated.Severity, escalated.Reason, escalated.At = topics.AlertEscalated, "critical", "open for 2m0s", time.Unix(130, 0)
	cleared.State, cleared.Severity, cleared.Reason, cleared.At = topics.AlertCleared, "critical", "the score fell", time.Unix(200, 0)
	after := raised
	after.Reason = "walking came first, 4s before"
	for _, c := range []struct {
		name    string
		records []topics.Alert
		state   topics.AlertState
		reason  string
	}{
		{"what the raise says stays", []topics.Alert{after, escalated, cleared}, topics.AlertCleared, "the score fell"},
		{"open", []topics.Alert{raised, escalated}, topics.AlertRaised, ""},
		{"the raise comes second", []topics.Alert{escalated, raised}, topics.AlertRaised, ""},
		{"the raise comes again", []topics.Alert{raised, escalated, raised}, topics.AlertRaised, ""},
		{"the raise is not in the range", []topics.Alert{escalated}, topics.AlertRaised, ""},
		{"cleared", []topics.Alert{raised, escalated, cleared}, topics.AlertCleared, "the score fell"},
		{"backwards", []topics.Alert{cleared, escalated, raised}, topics.AlertCleared, "the score fell"},
	} {
		views := Views{}
		for _, a := range c.records {
			views.Add(a)
		}
		if raise := views["fall/1"].RaiseReason; raise != c.records[0].Reason && c.records[0].State == topics.AlertRaised {
			t.Errorf("%s: raised for %q", c.name, raise)
		}
		if v := views["fall/1"]; v.State != c.state || v.Reason != c.reason || v.Severity != "critical" || v.EscalatedAt == nil || v.EscalatedAt.Unix() != 130 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}
