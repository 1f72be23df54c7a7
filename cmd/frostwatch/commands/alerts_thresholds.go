package commands

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) alertsThresholds() *cobra.Command {
	t := &target{}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "thresholds", Short: "Show the thresholds that keep budgets of false alarms", Args: none,
		Long: "Lists, for each rule with false_alarms and each camera, the contrast from which on it raises,\n" +
			"and the past that this rests on (docs/trust.md).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, c *bus.Client, n topics.Names) error {
				all, err := thresholds(ctx, c, n)
				if err != nil {
					return err
				}
				return p.printThresholds(all, asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a line")
	return cmd
}

// thresholds reads the table of thresholds, by rule and camera.
func thresholds(ctx context.Context, c *bus.Client, n topics.Names) (all []topics.Threshold, err error) {
	listed, err := c.Table(n.Of(topics.Thresholds)).List(ctx)
	if err != nil {
		return nil, err
	}
	for key, m := range listed {
		if t, err := topics.DecodeThreshold(m.Value); err == nil && topics.RuleKey(t.Camera, t.Rule) == key {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b topics.Threshold) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Camera, b.Camera))
	})
	return all, nil
}

func (p Program) printThresholds(all []topics.Threshold, asJSON bool) error {
	var out bytes.Buffer
	if asJSON {
		lines := json.NewEncoder(&out)
		for _, t := range all {
			if err := lines.Encode(t); err != nil {
				return err
			}
		}
		_, err := p.Out.Write(out.Bytes())
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(p.Out, "There are none: no rule has false_alarms, or frostwatch calibrate has not run yet (docs/trust.md).")
		return err
	}
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "RULE\tCAMERA\tBUDGET\tRAISE\tCLEAR\tRESTS ON\tAGE") // to memory
	for _, v := range all {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.4g\t%.4g\t%s\t%s\n", topics.Clean(v.Rule), topics.Clean(v.Camera), topics.Clean(v.Budget),
			v.Raise, v.Clear, topics.Clean(restsOn(v)), max(time.Since(v.At), 0).Round(time.Minute))
	}
	_ = t.Flush()
	_, err := p.Out.Write(out.Bytes())
	return err
}

// restsOn is what a threshold rests on, in words.
func restsOn(t topics.Threshold) string {
	var parts []string
	if t.Learning {
		parts = append(parts, "learning: that of other cameras, or the default")
	} else {
		parts = append(parts, t.Tail)
	}
	if t.Clips > 0 {
		parts = append(parts, fmt.Sprintf("%.1f days", t.Days), counted(t.Clips, "clip"), counted(t.Happenings, "happening"))
	}
	if t.Next != nil && t.Next.Model != t.Model {
		parts = append(parts, fmt.Sprintf("%.4g once model %.12s serves", t.Next.Raise, t.Next.Model))
	}
	return strings.Join(parts, ", ")
}
