package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/eval/export"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) alertsExplain() *cobra.Command {
	t := &target{}
	var f replayFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "explain CAMERA TIME", Short: "Say for each rule why it raised an alert at a moment, or did not", Args: exactly(2),
		Long:    "Replays the rules over what was recorded of a camera up to a moment: RFC 3339, Unix seconds, or how long\nago (10m, 3h). Rules and thresholds are those of now.",
		Example: "  frostwatch alerts explain lobby 10m\n  frostwatch alerts explain ward-2 2026-03-01T14:03:20+01:00 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := export.ParseMoment(args[1], time.Now())
			if err != nil {
				return fmt.Errorf("TIME %w", err)
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				g := archive.Range{Since: at.Add(-time.Hour), Until: at.Add(time.Hour), Cameras: []string{args[0]}}
				o, err := p.replayOptions(ctx, t, past, f, g)
				if err != nil {
					return err
				}
				e, err := calibrate.Explain(ctx, calibrate.Moment{ReplayOptions: o, Camera: args[0], At: at})
				if err != nil {
					return err
				}
				if e.Clip == "" && e.Before.IsZero() && e.After.IsZero() {
					if err := past.hasCamera(ctx, args[0]); err != nil {
						return err
					}
				}
				if asJSON {
					return printJSON(p.Out, e)
				}
				return writeExplained(p.Out, e)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&f.rules, "rules", "", "configuration file whose rules are explained (default: the one in force)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

// hasCamera is an error if no camera has the name.
func (p *pastAlerts) hasCamera(ctx context.Context, name string) error {
	rows, err := p.Bus.Table(p.Names.Of(topics.Cameras)).List(ctx)
	if err != nil {
		return fmt.Errorf("read the cameras: %w", err)
	}
	if _, there := rows[name]; there {
		return nil
	}
	if meant := vocab.Nearest(name, slices.Collect(maps.Keys(rows))); meant != "" {
		return fmt.Errorf("no camera is named %q (there is %q), and nothing was recorded of it", name, meant)
	}
	return fmt.Errorf("no camera is named %q, and nothing was recorded of it", name)
}

func writeExplained(w io.Writer, e *calibrate.Explained) error {
	var b bytes.Buffer
	clock := func(at time.Time) string { return at.Local().Format(time.DateTime) }
	switch {
	case e.Clip != "":
		fmt.Fprintf(&b, "%s at %s: clip %s, %s to %s, of the stream since %s\n", topics.Clean(e.Camera), clock(e.At), topics.Clean(e.Clip), clock(e.Start), clock(e.End), clock(e.Epoch))
	default:
		fmt.Fprintf(&b, "%s at %s: no recorded clip shows this moment", topics.Clean(e.Camera), clock(e.At))
		if !e.Before.IsZero() {
			fmt.Fprintf(&b, "; the last before it ends at %s", clock(e.Before))
		}
		if !e.After.IsZero() {
			fmt.Fprintf(&b, "; the first after it ends at %s", clock(e.After))
		}
		if e.Before.IsZero() && e.After.IsZero() {
			b.WriteString(", nor any within an hour")
		}
		b.WriteString("\n")
	}
	for _, a := range e.Raised {
		fmt.Fprintf(&b, "an alert is open then: %s, since %s (%s)\n", topics.Clean(a.ID), clock(a.Onset), topics.Clean(topics.Alert{Label: a.Label, Absent: a.Absent}.About()))
	}
	if e.Clip == "" { // which says all that rules could say
		_, err := w.Write(b.Bytes())
		return err
	}
	for _, r := range e.Rules {
		fmt.Fprintf(&b, "\n%s: %s\n", topics.Clean(r.Rule), topics.Clean(r.Why))
		writeTraces(&b, r.Clips)
	}
	if e.Filled.Labels+e.Filled.Other > 0 {
		b.WriteString("\n")
		writeFilled(&b, e.Filled)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// writeTraces lists the last clips with what the rule compares.
func writeTraces(b *bytes.Buffer, clips []alerts.Trace) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, c := range clips {
		label, value := "none of its labels", ""
		if len(c.Labels) > 0 {
			l := c.Labels[0]
			if l.Zone != "" {
				l.Label += " in " + l.Zone
			}
			label, value = topics.Clean(l.Label), fmt.Sprintf("%.3f\traises at %.3f, clears below %.3f", l.Value, l.Raise, l.Clear)
		}
		note := ""
		if c.Fresh {
			note = "  first of a stream"
		}
		if c.Inactive {
			note += "  outside the rule's hours"
		}
		_, _ = fmt.Fprintf(t, "  %s\t%s\t%s%s\n", c.End.Local().Format(time.TimeOnly), label, value, note)
	}
	_ = t.Flush()
}
