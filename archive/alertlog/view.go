package alertlog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// View is an alert as its records describe it together.
type View struct {
	topics.Alert                 // as raised, where that record was read, with the state and reason of its clear
	RaisedAt     *time.Time      `json:"raised_at,omitempty"`
	RaiseReason  string          `json:"raise_reason,omitempty"` // that of the raise
	EscalatedAt  *time.Time      `json:"escalated_at,omitempty"`
	ClearedAt    *time.Time      `json:"cleared_at,omitempty"`
	Mark         *topics.Mark    `json:"mark,omitempty"`          // what a person said of it
	Verdict      *topics.Verdict `json:"verdict,omitempty"`       // what a second opinion said of it
	Probability  *float64        `json:"probability,omitempty"`   // that it is true, after enough marks of its label
	EvidenceGone bool            `json:"evidence_gone,omitempty"` // Kafka no longer keeps it; only where that was looked for
	Film         bool            `json:"film,omitempty"`          // there is one; only where that was looked for
}

// With is the view with one more record of its alert; known is whether it had one before.
// Records may come in any order, and more than once.
func (v View) With(a topics.Alert, known bool) View {
	at := a.At
	switch {
	case a.State == topics.AlertRaised:
		before := v
		v.Alert, v.RaisedAt, v.RaiseReason = a, &at, a.Reason
		if before.ClearedAt != nil {
			v.State, v.Reason = before.State, before.Reason
		}
		if before.EscalatedAt != nil {
			v.Severity = before.Severity
		}
	case a.State == topics.AlertEscalated:
		if !known {
			v.Alert = a
			v.State, v.Reason = topics.AlertRaised, ""
		}
		v.Severity, v.EscalatedAt = a.Severity, &at
	case known:
		v.State, v.Reason, v.ClearedAt = a.State, a.Reason, &at
	default:
		v.Alert, v.ClearedAt = a, &at
	}
	return v
}

// Word is the state in words.
func (v View) Word() string {
	if v.State == topics.AlertRaised {
		return "open"
	}
	return "cleared"
}

// Lasted is how long the alert has been open, or was.
func (v View) Lasted(now time.Time) time.Duration {
	if v.ClearedAt != nil {
		now = *v.ClearedAt
	}
	return max(now.Sub(v.Onset), 0).Round(time.Second)
}

// Views are alerts by id.
type Views map[string]View

// Add merges a record into its alert.
func (v Views) Add(a topics.Alert) {
	view, known := v[a.ID]
	v[a.ID] = view.With(a, known)
}

// Sorted returns the alerts for which take is true, by their onset.
func (v Views) Sorted(take func(View) bool) []View {
	out := slices.DeleteFunc(slices.Collect(maps.Values(v)), func(a View) bool { return !take(a) })
	slices.SortFunc(out, func(a, b View) int { return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID)) })
	return out
}
