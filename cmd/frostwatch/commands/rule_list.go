package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) ruleList(t *ruleTarget) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the rules, where each is from, and what keeps it from taking effect", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				content, err := d.store.Read(ctx)
				if err != nil {
					return err
				}
				stored := alerts.ParseStored(content)
				around := d.surroundings(ctx)
				rows := ruleRows(d.file, stored, content.Entries, around)
				if asJSON {
					return printJSON(p.Out, rows)
				}
				if err := writeRules(p.Out, rows, stored.Version); err != nil {
					return err
				}
				_, err = io.WriteString(p.Out, around.note())
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// ruleRow is a rule in the output of `rule ls --json`.
type ruleRow struct {
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

// ruleRows lists the rules that are in force, then those in Redis that are skipped.
func ruleRows(file *alerts.RuleSet, stored alerts.Stored, values map[string]string, around surroundings) []ruleRow {
	all, skipped := alerts.Join(file, &stored)
	ofFile := map[string]bool{}
	for _, name := range file.Names() {
		ofFile[name] = true
	}
	idle := all.WithoutEffect(around.Surroundings)
	rows := make([]ruleRow, 0, len(all.Names())+len(skipped))
	for _, r := range all.Rules() {
		row := ruleRow{Name: r.Name, From: "redis", For: watchesFor(r), Cameras: camerasText(r), When: whenText(r), Severity: severityText(r.Severity, r.SeverityFrom)}
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
		rows = append(rows, ruleRow{Name: topics.Clean(s.Rule), From: "redis", Value: values[s.Rule], Skipped: topics.Clean(s.Err.Error())})
	}
	return rows
}

// camerasText are the patterns and tags of the cameras that a rule watches.
func camerasText(r alerts.Rule) string {
	text := strings.Join(r.Cameras, " ")
	if len(r.CameraTags) > 0 {
		text = strings.TrimSpace(text + " tagged " + strings.Join(r.CameraTags, " or "))
	}
	return topics.Clean(text)
}

// watchesFor says in words which labels a rule is about.
func watchesFor(r alerts.Rule) string {
	switch {
	case r.Stream != nil:
		return streamText(*r.Stream)
	case r.Absent != nil:
		return fmt.Sprintf("no %s for %v", anyOf(r.Absent.Actions), r.Absent.For) + zoneText(r)
	case len(r.Actions) > 0 && r.Then != nil:
		return fmt.Sprintf("%s, then %s within %v", anyOf(r.Actions), anyOf(r.Then.Actions), r.Then.Within) + zoneText(r)
	}
	text := "-"
	switch {
	case len(r.Actions) > 0:
		text = anyOf(r.Actions)
	case len(r.Tags) > 0:
		text = "labels tagged " + anyOf(r.Tags)
	case r.Novel:
		text = "novel labels"
	}
	return text + countText(r) + zoneText(r)
}

// zoneText are the zones that a rule is about.
func zoneText(r alerts.Rule) string {
	if len(r.Zone) == 0 {
		return ""
	}
	return " in zone " + strings.Join(r.Zone, " or ")
}

// countText is how many cameras have to see it, for a rule that counts them.
func countText(r alerts.Rule) string {
	if r.Count == nil {
		return ""
	}
	return ", seen by " + r.Count.String()
}

// streamText are the faults of streams that a rule is about.
func streamText(s alerts.StreamRule) string {
	var parts []string
	for _, f := range []struct {
		what string
		time time.Duration
	}{
		{"camera offline", s.Offline}, {"picture black", s.Black}, {"picture frozen", s.Frozen},
		{"lens covered", s.Covered}, {"camera moved", s.Moved}, {"picture out of focus", s.Defocused},
	} {
		if f.time > 0 {
			parts = append(parts, fmt.Sprintf("%s for %v", f.what, f.time))
		}
	}
	if s.FPSBelow > 0 {
		parts = append(parts, fmt.Sprintf("frame rate below %v", s.FPSBelow))
	}
	return strings.Join(parts, ", ")
}

func anyOf(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = topics.Clean(fmt.Sprintf("%q", t))
	}
	return strings.Join(out, " or ")
}

// whenText says in words what clips must reach.
func whenText(r alerts.Rule) string {
	if r.Stream != nil {
		return "-"
	}
	text := string(r.Measure()) + " at its default"
	if r.Measure() == alerts.ByContrast {
		text = fmt.Sprintf("contrast from %v", alerts.DefaultContrast)
	}
	if l := r.Levels(); l.Raise > 0 {
		text = fmt.Sprintf("%s from %v", r.Measure(), l.Raise)
	}
	if r.FalseAlarms != (alerts.Budget{}) {
		text = fmt.Sprintf("%s, %s false alarms", r.Measure(), r.FalseAlarms)
	}
	if r.Clips.M > 1 {
		text += fmt.Sprintf(", %d of %d clips", r.Clips.N, r.Clips.M)
	}
	return text
}

func writeRules(out io.Writer, rows []ruleRow, version string) error {
	if len(rows) == 0 {
		_, err := io.WriteString(out, "there are no rules: nothing raises an alert; add one with `frostwatch watch` or `frostwatch rule add`\n")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "RULE\tFROM\tSEVERITY\tCAMERAS\tWHEN\tWATCHES FOR")
	var below strings.Builder
	for _, r := range rows {
		if r.Skipped != "" {
			fmt.Fprintf(&below, "skipped: rule %s: %s\n", r.Name, r.Skipped)
			continue
		}
		cameras := r.Cameras
		if cameras == "" {
			cameras = "every camera"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.From, dash(r.Severity), cameras, r.When, r.For)
		if r.NoEffect != "" {
			fmt.Fprintf(&below, "without full effect: rule %s: %s\n", r.Name, r.NoEffect)
		}
	}
	if err := w.Flush(); err != nil { // also what was refused before
		return err
	}
	fmt.Fprintf(&below, "rules in Redis: version %s\n", version)
	_, err := io.WriteString(out, below.String())
	return err
}
