package alerts

import (
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// SeverityFrom is the value of the rule's measure from which on an alert is a warning,
// and critical; 0: never. Below both it has the rule's own severity.
type SeverityFrom struct {
	Warning  float64 `yaml:"warning"`
	Critical float64 `yaml:"critical"`
}

// Escalate gives an alert that is open for long another severity.
type Escalate struct {
	After    time.Duration `yaml:"after"`
	Severity string        `yaml:"severity"` // empty: critical
}

func (r Rule) checkSeverity(wrong func(string, ...any)) {
	if r.Severity != "" && topics.SeverityRank(r.Severity) < 0 {
		wrong("severity: %q: want %s", r.Severity, oneOf(topics.Severities()))
	}
	if f := r.SeverityFrom; f != nil {
		low, high := r.Measure().lowest(), 1.0
		for _, v := range []float64{f.Warning, f.Critical} {
			if inside := v >= low && v <= high; !inside { // NaN is not
				wrong("severity_from: %v: want %v to %v", v, low, high)
			}
		}
		if f.Warning == 0 && f.Critical == 0 {
			wrong("severity_from: want warning, critical or both")
		}
		if f.Critical != 0 && f.Warning > f.Critical {
			wrong("severity_from: warning %v, critical %v: want warning not above critical", f.Warning, f.Critical)
		}
		if r.Absent != nil {
			wrong("severity_from: an absence has no value: want severity")
		}
	}
	e := r.Escalate
	if e == nil {
		return
	}
	if e.After <= 0 {
		wrong("escalate: after %v: want more than 0", e.After)
	}
	switch {
	case e.Severity != "" && topics.SeverityRank(e.Severity) < 1:
		wrong("escalate: severity %q: want warning or critical", e.Severity)
	case e.Severity != "" && r.SeverityFrom == nil && topics.SeverityRank(e.Severity) <= topics.SeverityRank(r.usual()):
		wrong("escalate: severity %q: want one above the rule's own, which is %s", e.Severity, r.usual())
	case e.Severity == "" && r.usual() == "critical":
		wrong("escalate: the rule's alerts are critical already: want a lower severity for them")
	}
}

func oneOf(texts []string) string {
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// usual is the severity of alerts for which nothing else says one.
func (r Rule) usual() string {
	switch {
	case r.Severity != "":
		return r.Severity
	case r.SeverityFrom != nil:
		return "info"
	}
	return "warning"
}

// severity is that of an alert whose label has this value.
func (r Rule) severity(value float64) string {
	f, severity := r.SeverityFrom, r.usual()
	if f == nil {
		return severity
	}
	for level, from := range map[string]float64{"warning": f.Warning, "critical": f.Critical} {
		if from != 0 && value >= from && topics.SeverityRank(level) > topics.SeverityRank(severity) {
			severity = level
		}
	}
	return severity
}

// escalate returns the record that gives the open alert a higher severity; nil where
// it is not yet, or no more, time for that. The time is that of the clips, so that
// whoever evaluates them decides the same.
func (w *watch) escalate(rec *topics.Recognition, best *topics.LabelScore) *topics.Alert {
	e := w.rule.Escalate
	if e == nil || rec.End.Sub(w.open.At) < e.After {
		return nil
	}
	to := e.Severity
	if to == "" {
		to = "critical"
	}
	if topics.SeverityRank(w.open.Severity) >= topics.SeverityRank(to) {
		return nil
	}
	label := unscored(*w.open)
	if best != nil {
		label = *best
	}
	w.open.Severity = to
	a := aboutClip(rec).alert(label)
	a.ID, a.State, a.Rule, a.Severity = w.open.ID, topics.AlertEscalated, w.rule.Name, to
	a.Onset, a.OnsetClip, a.Reason = w.open.Onset, w.open.OnsetClip, "open for "+e.After.String()
	a.Absent, a.Notify = w.open.Absent, w.open.Notify
	w.measured(&a, label)
	return &a
}
