package commands

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) ruleHistory(t *ruleTarget) *cobra.Command {
	var rule, since string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "history", Short: "List the edits of the rules in Redis: when, by whom, and what", Args: none,
		Long: "Lists the edits of the rules in Redis, the oldest first: when, by whom, and what. Edits made with other\nprograms are recorded as external, at the time at which they were noticed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, _, err := moments(since, "", time.Now())
			if err != nil {
				return err
			}
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				past, err := d.Store.Past(ctx)
				if err != nil {
					return err
				}
				edits := selectEdits(past.Edits, rule, from)
				if asJSON {
					return printJSON(p.Out, editRows(edits, ruleItems()))
				}
				return printEdits(p.Out, past, edits, ruleItems())
			})
		},
	}
	cmd.Flags().StringVar(&rule, "rule", "", "only what was done to this rule")
	cmd.Flags().StringVar(&since, "since", "", "from when: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

func (p Program) ruleRollback(t *ruleTarget) *cobra.Command {
	var before string
	var dry bool
	cmd := &cobra.Command{
		Use: "rollback VERSION", Short: "Restore a version of the rules in Redis, or with --before what was there before a time",
		Long:    "Restores the rules in Redis as they were. This is an edit as any other: it is recorded, and can be rolled back.",
		Example: "  frostwatch rule rollback 5c3f09aa --dry-run\n  frostwatch rule rollback --before 10m",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (before == "") == (len(args) == 0) {
				return errors.New("rule rollback: want VERSION, or --before TIME")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				past, err := d.Store.Past(ctx)
				if err != nil {
					return err
				}
				entries, to, err := rollbackTo(past, args, before, ruleItems())
				if err != nil {
					return err
				}
				if dry {
					return p.printPlan(past, entries)
				}
				if err := d.Store.By(t.by, "rule rollback to "+to).Restore(ctx, entries); err != nil {
					return err
				}
				after, err := d.Store.Past(ctx)
				if err != nil {
					return err
				}
				return p.printRestored(ctx, d, past.Now, after.Now, to)
			})
		},
	}
	cmd.Flags().StringVar(&before, "before", "", "a time: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only print what would change")
	return cmd
}

// printRestored prints what a rollback has changed.
func (p Program) printRestored(ctx context.Context, d *ruleDesk, was, now map[string]string, version string) error {
	var b strings.Builder
	if writeChanges(&b, vocab.Differences(was, now)); b.Len() == 0 {
		b.WriteString("nothing has changed\n")
	}
	b.WriteString("rules in Redis: version " + version + "\n")
	return p.saidInForce(ctx, d, b.String())
}
