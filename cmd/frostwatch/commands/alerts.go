package commands

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// alertView is what both records of an alert say together.
type alertView struct {
	topics.Alert            // as raised, where that record is read, with the state and reason of its clear
	RaisedAt     *time.Time `json:"raised_at,omitempty"`
	ClearedAt    *time.Time `json:"cleared_at,omitempty"`
}

// alertViews are alerts by id.
type alertViews map[string]alertView

// add takes a record in.
func (v alertViews) add(a topics.Alert) {
	view, known := v[a.ID]
	at := a.At
	switch {
	case a.State == topics.AlertRaised:
		state, reason := view.State, view.Reason
		view.Alert, view.RaisedAt = a, &at
		if view.ClearedAt != nil {
			view.State, view.Reason = state, reason
		}
	case known:
		view.State, view.Reason, view.ClearedAt = a.State, a.Reason, &at
	default:
		view.Alert, view.ClearedAt = a, &at
	}
	v[a.ID] = view
}

// alertFilter is which alerts are listed.
type alertFilter struct {
	camera, rule string // globs; empty: any
	open         bool
}

func (f alertFilter) takes(v alertView) bool {
	return matches(f.camera, v.Camera) && matches(f.rule, v.Rule) && (!f.open || v.State == topics.AlertRaised)
}

func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return glob == "" || ok && err == nil
}

func (f alertFilter) check() error {
	for flag, glob := range map[string]string{"camera": f.camera, "rule": f.rule} {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--%s %q: want a name, or a glob such as ward-*", flag, glob)
		}
	}
	return nil
}

func (p Program) alertsList() *cobra.Command {
	t := &target{}
	var f alertFilter
	since := 24 * time.Hour
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List alerts, the newest last", Args: none,
		Example: "  frostwatch alerts ls --since 1h --camera 'ward-*'\n  frostwatch alerts ls --open --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				views, err := readAlerts(ctx, b, n, time.Now().Add(-since))
				if err != nil {
					return err
				}
				return printAlerts(p.Out, views.sorted(f), asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().Var(length{&since, "1h or 7d"}, "since", "how far back; what is still open is listed however old it is")
	cmd.Flags().StringVar(&f.camera, "camera", "", "name of the camera, or a glob")
	cmd.Flags().StringVar(&f.rule, "rule", "", "name of the rule, or a glob")
	cmd.Flags().BoolVar(&f.open, "open", false, "only what is open now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// readAlerts reads the alerts since a time, and those that are open.
func readAlerts(ctx context.Context, b *bus.Client, n topics.Names, since time.Time) (alertViews, error) {
	views := alertViews{}
	open, err := b.Table(n.Of(topics.OpenAlerts)).List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range open {
		if a, err := topics.DecodeAlert(m.Value); err == nil {
			views.add(a)
		}
	}
	err = b.ReadAll(ctx, n.Of(topics.Alerts), since, false, func(m bus.Message) error {
		if a, err := topics.DecodeAlert(m.Value); err == nil {
			views.add(a)
		}
		return nil
	})
	return views, err
}

// sorted are the alerts that a filter takes, by the time of their first record.
func (v alertViews) sorted(f alertFilter) []alertView {
	out := slices.DeleteFunc(slices.Collect(maps.Values(v)), func(a alertView) bool { return !f.takes(a) })
	slices.SortFunc(out, func(a, b alertView) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

func printAlerts(w io.Writer, views []alertView, asJSON bool) error {
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
	_, _ = fmt.Fprintln(t, "SINCE\tSTATE\tFOR\tCAMERA\tRULE\tSEVERITY\tLABEL\tSCORE\tID") // to memory
	for _, v := range views {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\n", v.Onset.Local().Format(time.DateTime), v.word(), v.lasted(time.Now()),
			topics.Clean(v.Camera), topics.Clean(v.Rule), topics.Clean(v.Severity), topics.Clean(v.Label), v.Score, topics.Clean(v.ID))
	}
	_ = t.Flush()
	_, err := w.Write(out.Bytes())
	return err
}

// word is the state as people call it.
func (v alertView) word() string {
	if v.State == topics.AlertRaised {
		return "open"
	}
	return "cleared"
}

// lasted is for how long the alert has been going on, or did.
func (v alertView) lasted(now time.Time) time.Duration {
	if v.ClearedAt != nil {
		now = *v.ClearedAt
	}
	return max(now.Sub(v.Onset), 0).Round(time.Second)
}
