package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) alertsReport() *cobra.Command {
	t := &target{}
	var since string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "report", Short: "Show how many alerts were true, by rule and label", Args: none,
		Long: "Counts alerts and what people marked them as. Precision is the share of true ones among the marked.\n" +
			"Recall can't be known from alerts, since nobody marks what was missed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, _, err := moments(since, "", time.Now())
			if err != nil {
				return err
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				said, err := past.Marks(ctx)
				if err != nil {
					return err
				}
				var raised []topics.Alert
				if err := past.Each(ctx, archive.Range{Since: from}, func(a topics.Alert) {
					if a.State == topics.AlertRaised {
						raised = append(raised, a)
					}
				}); err != nil {
					return err
				}
				return p.printMarked(calibrate.Report(raised, said), asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&since, "since", "30d", "from when: RFC 3339, Unix seconds, or how long ago (1h, 7d)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a line")
	return cmd
}

func (p Program) printMarked(all []calibrate.Reported, asJSON bool) error {
	var out bytes.Buffer
	if asJSON {
		lines := json.NewEncoder(&out)
		for _, r := range all {
			if err := lines.Encode(r); err != nil {
				return err
			}
		}
		_, err := p.Out.Write(out.Bytes())
		return err
	}
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "RULE\tLABEL\tRAISED\tTRUE\tFALSE\tUNMARKED\tPRECISION\tRECALL\tEVEN AT") // to memory
	share := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.2f", *v)
	}
	for _, r := range all {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%s\tunknown\t%s\n", topics.Clean(r.Rule), topics.Clean(topics.Alert{Label: r.Label, Absent: r.Absent}.About()),
			r.Raised, r.True, r.False, r.Unmarked, share(r.Precision), share(r.Even))
	}
	_ = t.Flush()
	_, _ = fmt.Fprintf(&out, "\nRecall is unknown: nobody marks what was missed. EVEN AT is the contrast at which an alert is as likely\ntrue as false; it is known after %d marks of a label, some true and some false.\n", calibrate.LeastMarks)
	_, err := p.Out.Write(out.Bytes())
	return err
}
