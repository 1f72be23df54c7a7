package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
)

func (p Program) ruleList(t *ruleTarget) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the rules, where each is from, and what keeps it from taking effect", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				content, err := d.Store.Read(ctx)
				if err != nil {
					return err
				}
				stored := alerts.ParseStored(content)
				around := d.Around(ctx)
				rows := ruledesk.Rows(d.File, stored, content.Entries, around)
				if asJSON {
					return printJSON(p.Out, rows)
				}
				if err := writeRules(p.Out, rows, stored.Version); err != nil {
					return err
				}
				_, err = io.WriteString(p.Out, around.Note())
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

func writeRules(out io.Writer, rows []ruledesk.Row, version string) error {
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
