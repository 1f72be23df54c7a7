package commands

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) ruleShow(t *ruleTarget) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show all of one rule: what it watches for, when, and what keeps it from taking effect", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				content, err := d.store.Read(ctx)
				if err != nil {
					return err
				}
				stored, around := alerts.ParseStored(content), d.surroundings(ctx)
				rows := ruleRows(d.file, stored, content.Entries, around)
				i := slices.IndexFunc(rows, func(r ruleRow) bool { return r.Name == args[0] })
				if i < 0 {
					var names []string
					for _, r := range rows {
						names = append(names, r.Name)
					}
					if meant := nearest(args[0], names); meant != "" {
						return fmt.Errorf("there is no rule %q (there is %q)", args[0], meant)
					}
					return fmt.Errorf("there is no rule %q: see `frostwatch rule ls`", args[0])
				}
				all, _ := alerts.Join(d.file, &stored)
				_, err = io.WriteString(p.Out, d.shownRule(rows[i], all.Rules(), around)+around.note())
				return err
			})
		},
	}
}

// shownRule is a rule in words, one property a line.
func (d *ruleDesk) shownRule(row ruleRow, all []alerts.Rule, around surroundings) string {
	var b strings.Builder
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s  %s\n", what, topics.Clean(value))
		}
	}
	from := "Redis"
	if row.From == "file" {
		from = d.path
	}
	line("rule", row.Name+", of "+from)
	line("skipped", row.Skipped)
	if i := slices.IndexFunc(all, func(r alerts.Rule) bool { return r.Name == row.Name }); i >= 0 {
		writeProperties(line, all[i])
		line("cameras", row.Cameras)
		if around.Cameras != nil {
			line("", watchedText(all[i], around.Cameras))
		}
	}
	line("no effect", row.NoEffect)
	if row.Value != "" {
		b.WriteString("in Redis:\n")
		for l := range strings.Lines(row.Value) { // cleaning would take the indent
			text := strings.TrimLeft(l, " ")
			fmt.Fprintf(&b, "  %s%s\n", l[:min(len(l)-len(text), 40)], topics.Clean(text))
		}
	}
	return b.String()
}

func writeProperties(line func(what, value string), r alerts.Rule) {
	line("watches for", watchesFor(r))
	if r.Stream == nil {
		line("when", whenText(r))
	}
	line("severity", severityText(r.Severity, r.SeverityFrom))
	if e := r.Escalate; e != nil {
		line("escalates", fmt.Sprintf("to %s after %v", orCritical(e.Severity), e.After))
	}
	if r.Cooldown > 0 {
		line("cooldown", r.Cooldown.String())
	}
	line("hours", hoursText(r.Schedule))
	line("quiet", hoursText(r.Quiet))
	line("inhibited by", strings.Join(r.InhibitedBy, ", "))
	line("notifies", strings.Join(r.Notify, ", "))
	line("asks", r.Verify)
	for _, o := range r.Overrides {
		line("override", overrideText(o))
	}
}

func orCritical(severity string) string {
	if severity == "" {
		return "critical"
	}
	return severity
}

// severityText is the severity, or what it depends on.
func severityText(plain string, from *alerts.SeverityFrom) string {
	if from == nil {
		return plain
	}
	text := []string{plain}
	if from.Warning > 0 {
		text = append(text, fmt.Sprintf("warning from %v", from.Warning))
	}
	if from.Critical > 0 {
		text = append(text, fmt.Sprintf("critical from %v", from.Critical))
	}
	return strings.Join(slices.DeleteFunc(text, func(s string) bool { return s == "" }), ", ")
}

// hoursText is a part of the week; empty: there is none.
func hoursText(s *alerts.Schedule) string {
	if s == nil {
		return ""
	}
	text := func(value, none string) string {
		if value == "" {
			return none
		}
		return value
	}
	return fmt.Sprintf("%s, %s to %s, %s", text(s.Days, "every day"), text(s.From, "00:00"), text(s.To, "24:00"), text(s.Timezone, "UTC"))
}

func overrideText(o alerts.Override) string {
	of := alerts.Rule{Cameras: o.Cameras, CameraTags: o.CameraTags}
	as := alerts.Rule{Contrast: o.Contrast, Score: o.Score, Similarity: o.Similarity, FalseAlarms: o.FalseAlarms}
	var parts []string
	if o.Contrast != nil || o.Score != nil || o.Similarity != nil || o.FalseAlarms != (alerts.Budget{}) {
		parts = append(parts, whenText(as))
	}
	if o.Clips != (alerts.ClipsRule{}) {
		parts = append(parts, fmt.Sprintf("%d of %d clips", o.Clips.N, o.Clips.M))
	}
	if text := severityText(o.Severity, o.SeverityFrom); text != "" {
		parts = append(parts, text)
	}
	return camerasText(of) + ": " + strings.Join(parts, ", ")
}
