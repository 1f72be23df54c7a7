package commands

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) ruleShow(t *ruleTarget) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show all of one rule: what it watches for, when, and what keeps it from taking effect", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				content, err := d.Store.Read(ctx)
				if err != nil {
					return err
				}
				stored, around := alerts.ParseStored(content), d.Around(ctx)
				rows := ruledesk.Rows(d.File, stored, content.Entries, around)
				i := slices.IndexFunc(rows, func(r ruledesk.Row) bool { return r.Name == args[0] })
				if i < 0 {
					var names []string
					for _, r := range rows {
						names = append(names, r.Name)
					}
					if meant := vocab.Nearest(args[0], names); meant != "" {
						return fmt.Errorf("there is no rule %q (there is %q)", args[0], meant)
					}
					return fmt.Errorf("there is no rule %q: see `frostwatch rule ls`", args[0])
				}
				all, _ := alerts.Join(d.File, &stored)
				_, err = io.WriteString(p.Out, d.shownRule(rows[i], all.Rules(), around)+around.Note())
				return err
			})
		},
	}
}

// shownRule is a rule in words, one property a line.
func (d *ruleDesk) shownRule(row ruledesk.Row, all []alerts.Rule, around ruledesk.Around) string {
	var b strings.Builder
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s  %s\n", what, topics.Clean(value))
		}
	}
	from := "Redis"
	if row.From == "file" {
		from = d.Path
	}
	line("rule", row.Name+", of "+from)
	line("skipped", row.Skipped)
	if i := slices.IndexFunc(all, func(r alerts.Rule) bool { return r.Name == row.Name }); i >= 0 {
		writeProperties(line, all[i])
		line("cameras", row.Cameras)
		if around.Cameras != nil {
			line("", ruledesk.WatchedText(all[i], around.Cameras))
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
	line("watches for", ruledesk.WatchesFor(r))
	if r.Stream == nil {
		line("when", ruledesk.WhenText(r))
	}
	line("severity", ruledesk.SeverityText(r.Severity, r.SeverityFrom))
	if e := r.Escalate; e != nil {
		line("escalates", fmt.Sprintf("to %s after %v", ruledesk.OrCritical(e.Severity), e.After))
	}
	if r.Cooldown > 0 {
		line("cooldown", r.Cooldown.String())
	}
	line("hours", ruledesk.HoursText(r.Schedule))
	line("quiet", ruledesk.HoursText(r.Quiet))
	line("inhibited by", strings.Join(r.InhibitedBy, ", "))
	line("notifies", strings.Join(r.Notify, ", "))
	line("asks", r.Verify)
	for _, o := range r.Overrides {
		line("override", ruledesk.OverrideText(o))
	}
}
