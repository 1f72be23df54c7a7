package ruledesk

import (
	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// Row is a rule in the output of `rule ls --json`.
type Row struct {
	Name     string `json:"rule"`
	From     string `json:"from"`              // file or redis
	For      string `json:"watches_for"`       // in words
	Cameras  string `json:"cameras,omitempty"` // in words; empty: every camera
	When     string `json:"when"`              // in words
	Severity string `json:"severity,omitempty"`
	Value    string `json:"value,omitempty"` // as it is in Redis
	// Skipped is why the rule is not in force, NoEffect why it is but can't raise
	// everything that it names.
	Skipped  string `json:"skipped,omitempty"`
	NoEffect string `json:"no_effect,omitempty"`
}

// Rows lists the rules that are in force, then those in Redis that are skipped.
func Rows(file *alerts.RuleSet, stored alerts.Stored, values map[string]string, around Around) []Row {
	all, skipped := alerts.Join(file, &stored)
	ofFile := map[string]bool{}
	for _, name := range file.Names() {
		ofFile[name] = true
	}
	idle := all.WithoutEffect(around.Surroundings)
	rows := make([]Row, 0, len(all.Names())+len(skipped))
	for _, r := range all.Rules() {
		row := Row{Name: r.Name, From: "redis", For: WatchesFor(r), Cameras: CamerasText(r), When: WhenText(r), Severity: SeverityText(r.Severity, r.SeverityFrom)}
		if ofFile[r.Name] {
			row.From = "file"
		} else {
			row.Value = values[r.Name]
		}
		if err := idle[r.Name]; err != nil {
			row.NoEffect = topics.Clean(err.Error())
		}
		rows = append(rows, row)
	}
	for _, s := range skipped {
		rows = append(rows, Row{Name: topics.Clean(s.Rule), From: "redis", Value: values[s.Rule], Skipped: topics.Clean(s.Err.Error())})
	}
	return rows
}
