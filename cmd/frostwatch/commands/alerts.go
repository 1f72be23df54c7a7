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

	"github.com/frostwatch/frostwatch/topics"
)

// alertView is an alert as its records describe it together.
type alertView struct {
	topics.Alert                 // as raised, where that record was read, with the state and reason of its clear
	RaisedAt     *time.Time      `json:"raised_at,omitempty"`
	RaiseReason  string          `json:"raise_reason,omitempty"` // that of the raise
	EscalatedAt  *time.Time      `json:"escalated_at,omitempty"`
	ClearedAt    *time.Time      `json:"cleared_at,omitempty"`
	Mark         *topics.Mark    `json:"mark,omitempty"`          // what a person said of it
	Verdict      *topics.Verdict `json:"verdict,omitempty"`       // what a second opinion said of it
	Probability  *float64        `json:"probability,omitempty"`   // that it is true, after enough marks of its label
	EvidenceGone bool            `json:"evidence_gone,omitempty"` // Kafka no longer keeps it; of show alone
	Film         bool            `json:"film,omitempty"`          // there is one; of show alone
	filmText     string          // the same for people, and why there is none
}

// alertViews are alerts by id.
type alertViews map[string]alertView

// add merges a record into its alert.
func (v alertViews) add(a topics.Alert) {
	view, known := v[a.ID]
	at := a.At
	switch {
	case a.State == topics.AlertRaised:
		before := view
		view.Alert, view.RaisedAt, view.RaiseReason = a, &at, a.Reason
		if before.ClearedAt != nil {
			view.State, view.Reason = before.State, before.Reason
		}
		if before.EscalatedAt != nil {
			view.Severity = before.Severity
		}
	case a.State == topics.AlertEscalated:
		if !known {
			view.Alert = a
			view.State, view.Reason = topics.AlertRaised, ""
		}
		view.Severity, view.EscalatedAt = a.Severity, &at
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
	since, until time.Time // of their records; a zero until: to the newest
	limit        int
}

// alertList collects alerts as they are read. Of more than the limit it keeps the
// newest, and those that are open.
type alertList struct {
	alertFilter
	views    alertViews
	listed   map[string]topics.Alert   // that are open now, by id
	room     int                       // how many views there may be before the oldest are dropped
	more     bool                      // some were dropped
	marks    map[string]topics.Mark    // what people said of alerts, by id
	verdicts map[string]topics.Verdict // what second opinions said, by id
}

func newAlertList(f alertFilter, open map[string]topics.Alert) *alertList {
	l := &alertList{alertFilter: f, views: alertViews{}, listed: open, room: len(open) + 2*f.limit}
	for _, a := range open {
		l.add(a)
	}
	return l
}

// add merges a record into its alert, if the filter matches it.
func (l *alertList) add(a topics.Alert) {
	if !ofCamera(l.camera, a) || !matches(l.rule, a.Rule) || !l.until.IsZero() && !a.Onset.Before(l.until) {
		return
	}
	l.views.add(a)
	if len(l.views) > l.room {
		l.trim()
	}
}

// trim drops the oldest alerts, down to the limit.
func (l *alertList) trim() {
	over := l.views.sorted(func(v alertView) bool { _, open := l.listed[v.ID]; return !open })
	for _, v := range over[:max(0, len(over)-l.limit)] {
		delete(l.views, v.ID)
		l.more = true
	}
}

// sorted returns the alerts to list, the newest last.
func (l *alertList) sorted() []alertView {
	l.trim()
	all := l.views.sorted(func(v alertView) bool { return !l.open || v.State == topics.AlertRaised })
	for i, v := range all {
		if m, is := l.marks[v.ID]; is {
			all[i].Mark = &m
		}
		all[i] = all[i].opinion(l.verdicts)
	}
	return all
}

// ofCamera is whether the glob matches the alert's camera, or one of its cameras.
func ofCamera(glob string, a topics.Alert) bool {
	return matches(glob, a.Camera) || slices.ContainsFunc(a.Cameras, func(name string) bool { return matches(glob, name) })
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
	if f.limit < 1 {
		return fmt.Errorf("--limit %d: want at least 1", f.limit)
	}
	return nil
}

func (p Program) alertsList() *cobra.Command {
	t := &target{}
	var f alertFilter
	var since, until string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List alerts, the newest last", Args: none,
		Example: "  frostwatch alerts ls --since 1h --camera 'ward-*'\n  frostwatch alerts ls --open --json\n" +
			"  frostwatch alerts ls --since 2026-03-01T00:00:00Z --until 2026-03-02T00:00:00Z",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if f.since, f.until, err = moments(since, until, time.Now()); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				l, err := past.list(ctx, f)
				if err != nil {
					return err
				}
				if len(l.sorted()) == 0 && !asJSON {
					return p.printNoAlerts(ctx, t, past, f)
				}
				if l.marks, err = marks(ctx, past.bus, past.names); err != nil {
					return err
				}
				l.verdicts = past.verdicts(ctx, p.Err)
				return p.printList(l, asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&since, "since", "24h", "from when: RFC 3339, Unix seconds, or how long ago (1h, 7d); what is still open is listed however old it is")
	cmd.Flags().StringVar(&until, "until", "", "to when, likewise")
	cmd.Flags().StringVar(&f.camera, "camera", "", "name of the camera, or a glob")
	cmd.Flags().StringVar(&f.rule, "rule", "", "name of the rule, or a glob")
	cmd.Flags().BoolVar(&f.open, "open", false, "only what is open now")
	cmd.Flags().IntVar(&f.limit, "limit", 10_000, "how many alerts to list at most, the newest, beside those that are open")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a line")
	return cmd
}

func (p Program) printList(l *alertList, asJSON bool) error {
	err := printAlerts(p.Out, l.sorted(), asJSON)
	if err == nil && l.more {
		_, err = fmt.Fprintf(p.Err, "only the newest %d are listed: name another time with --since and --until, or raise --limit\n", l.limit)
	}
	return err
}

// sorted returns the alerts for which take is true, by their onset.
func (v alertViews) sorted(take func(alertView) bool) []alertView {
	out := slices.DeleteFunc(slices.Collect(maps.Values(v)), func(a alertView) bool { return !take(a) })
	slices.SortFunc(out, func(a, b alertView) int { return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID)) })
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
	// Most have nobody who is asked, and the lines are long.
	verdict := func(string) string { return "" }
	if slices.ContainsFunc(views, func(v alertView) bool { return v.Verdict != nil }) {
		verdict = func(text string) string { return text + "\t" }
	}
	_, _ = fmt.Fprintln(t, "SINCE\tSTATE\tFOR\tCAMERA\tRULE\tSEVERITY\tLABEL\tVALUE\t"+verdict("VERDICT")+"MARK\tID") // to memory
	for _, v := range views {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s%s\t%s\n", v.Onset.Local().Format(time.DateTime), v.word(), v.lasted(time.Now()),
			topics.Clean(v.Camera), topics.Clean(v.Rule), topics.Clean(v.Severity), topics.Clean(v.About()), v.valueText(), verdict(v.verdictWord()), v.markWord(), topics.Clean(v.ID))
	}
	_ = t.Flush()
	_, err := w.Write(out.Bytes())
	return err
}

// word is the state in words.
func (v alertView) word() string {
	if v.State == topics.AlertRaised {
		return "open"
	}
	return "cleared"
}

// valueText is what the rule compares and its value, "-" where there is none.
func (v alertView) valueText() string {
	if v.Value() != 0 && !v.Absent {
		return fmt.Sprintf("%s %.2f", topics.Clean(cmp.Or(v.Measure, "score")), v.Value()) // older alerts name no measure
	}
	return "-"
}

// markWord is what a person said of the alert, "-" where nobody did.
func (v alertView) markWord() string {
	if v.Mark == nil {
		return "-"
	}
	return fmt.Sprint(v.Mark.True)
}

// lasted is how long the alert has been open, or was.
func (v alertView) lasted(now time.Time) time.Duration {
	if v.ClearedAt != nil {
		now = *v.ClearedAt
	}
	return max(now.Sub(v.Onset), 0).Round(time.Second)
}
