package commands

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// checkFilter refuses flags of a list that can't be meant.
func checkFilter(f alertlog.Filter) error {
	for flag, glob := range map[string]string{"camera": f.Camera, "rule": f.Rule} {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--%s %q: want a name, or a glob such as ward-*", flag, glob)
		}
	}
	if f.Limit < 1 {
		return fmt.Errorf("--limit %d: want at least 1", f.Limit)
	}
	return nil
}

func (p Program) alertsList() *cobra.Command {
	t := &target{}
	var f alertlog.Filter
	var since, until string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List alerts, the newest last", Args: none,
		Example: "  frostwatch alerts ls --since 1h --camera 'ward-*'\n  frostwatch alerts ls --open --json\n" +
			"  frostwatch alerts ls --since 2026-03-01T00:00:00Z --until 2026-03-02T00:00:00Z",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if f.Since, f.Until, err = moments(since, until, time.Now()); err != nil {
				return err
			}
			if err := checkFilter(f); err != nil {
				return err
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				l, err := past.List(ctx, f)
				if err != nil {
					return err
				}
				if len(l.Sorted()) == 0 && !asJSON {
					return p.printNoAlerts(ctx, t, past, f)
				}
				if l.Marks, err = past.Marks(ctx); err != nil {
					return err
				}
				l.Verdicts = past.verdicts(ctx, p.Err)
				return p.printList(l, asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&since, "since", "24h", "from when: RFC 3339, Unix seconds, or how long ago (1h, 7d); what is still open is listed however old it is")
	cmd.Flags().StringVar(&until, "until", "", "to when, likewise")
	cmd.Flags().StringVar(&f.Camera, "camera", "", "name of the camera, or a glob")
	cmd.Flags().StringVar(&f.Rule, "rule", "", "name of the rule, or a glob")
	cmd.Flags().BoolVar(&f.Open, "open", false, "only what is open now")
	cmd.Flags().IntVar(&f.Limit, "limit", 10_000, "how many alerts to list at most, the newest, beside those that are open")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a line")
	return cmd
}

func (p Program) printList(l *alertlog.List, asJSON bool) error {
	err := printAlerts(p.Out, l.Sorted(), asJSON)
	if err == nil && l.More {
		_, err = fmt.Fprintf(p.Err, "only the newest %d are listed: name another time with --since and --until, or raise --limit\n", l.Limit)
	}
	return err
}

func printAlerts(w io.Writer, views []alertlog.View, asJSON bool) error {
	var out bytes.Buffer
	if asJSON {
		lines := json.NewEncoder(&out)
		for _, v := range views {
			if err := lines.Encode(v); err != nil {
				return err
			}
		}
		_, err := w.Write(out.Bytes())
		return err
	}
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	// Most have nobody who is asked, and the lines are long.
	verdict := func(string) string { return "" }
	if slices.ContainsFunc(views, func(v alertlog.View) bool { return v.Verdict != nil }) {
		verdict = func(text string) string { return text + "\t" }
	}
	_, _ = fmt.Fprintln(t, "SINCE\tSTATE\tFOR\tCAMERA\tRULE\tSEVERITY\tLABEL\tVALUE\t"+verdict("VERDICT")+"MARK\tID") // to memory
	for _, v := range views {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s%s\t%s\n", v.Onset.Local().Format(time.DateTime), v.Word(), v.Lasted(time.Now()),
			topics.Clean(v.Camera), topics.Clean(v.Rule), topics.Clean(v.Severity), topics.Clean(v.About()), valueText(v), verdict(verdictWord(v)), markWord(v), topics.Clean(v.ID))
	}
	_ = t.Flush()
	_, err := w.Write(out.Bytes())
	return err
}

// valueText is what the rule compares and its value, "-" where there is none.
func valueText(v alertlog.View) string {
	if v.Value() != 0 && !v.Absent {
		return fmt.Sprintf("%s %.2f", topics.Clean(cmp.Or(v.Measure, "score")), v.Value()) // older alerts name no measure
	}
	return "-"
}

// markWord is what a person said of the alert, "-" where nobody did.
func markWord(v alertlog.View) string {
	if v.Mark == nil {
		return "-"
	}
	return fmt.Sprint(v.Mark.True)
}
