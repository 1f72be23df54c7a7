package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/eval/export"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// whoEdits is the user and the machine, for the history.
func whoEdits() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return name
	}
	return name + "@" + host
}

// items is what a history is of.
type items struct {
	many    string
	all     string // what all of them are
	command string // that edits them
}

func labelItems() items { return items{"labels", "the vocabulary", "vocab"} }

func ruleItems() items { return items{"rules", "the rules in Redis", "rule"} }

func (p Program) vocabHistory(t *vocabTarget) *cobra.Command {
	var label, since string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "history", Short: "List the edits of the vocabulary: when, by whom, and what", Args: none,
		Long: "Lists the edits of the vocabulary, the oldest first: when, by whom, and what. Edits made with other\nprograms are recorded as external, at the time at which they were noticed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, _, err := moments(since, "", time.Now())
			if err != nil {
				return err
			}
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				past, err := s.Past(ctx, name)
				if err != nil {
					return err
				}
				edits := selectEdits(past.Edits, label, from)
				if asJSON {
					return printJSON(p.Out, editRows(edits, labelItems()))
				}
				return printEdits(p.Out, past, edits, labelItems())
			})
		},
	}
	cmd.Flags().StringVar(&label, "label", "", "only what was done to this label")
	cmd.Flags().StringVar(&since, "since", "", "from when: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// selectEdits are the edits since a time, and of these only the changes of a label;
// empty: of all.
func selectEdits(edits []vocab.Edit, label string, since time.Time) []vocab.Edit {
	var out []vocab.Edit
	for _, e := range edits {
		if e.Time.Before(since) {
			continue
		}
		if label != "" {
			var its []vocab.EntryChange
			for _, c := range e.Changes {
				if vocab.SameLabel(c.Label, label) {
					its = append(its, c)
				}
			}
			if e.Changes = its; len(its) == 0 {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// editRow is an edit in the output of `vocab history --json`.
type editRow struct {
	Time    time.Time   `json:"time"`
	By      string      `json:"by,omitempty"`
	Note    string      `json:"note,omitempty"`
	Version string      `json:"version"`
	Begins  bool        `json:"begins,omitempty"`
	Cut     bool        `json:"cut,omitempty"`
	Changes []changeRow `json:"changes"`
}

// changeRow is what an edit did to a label or rule; null: it was not there.
type changeRow struct {
	Label  string  `json:"label,omitempty"`
	Rule   string  `json:"rule,omitempty"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

func editRows(edits []vocab.Edit, of items) []editRow {
	rows := make([]editRow, 0, len(edits))
	for _, e := range edits {
		rows = append(rows, editRow{
			Time: e.Time.UTC(), By: topics.Clean(e.By), Note: topics.Clean(e.Note), Version: topics.Clean(e.Version),
			Begins: e.Begins, Cut: e.Cut, Changes: changeRows(e.Changes, of),
		})
	}
	return rows
}

func changeRows(changes []vocab.EntryChange, of items) []changeRow {
	rows := make([]changeRow, 0, len(changes))
	for _, c := range changes {
		row := changeRow{Label: c.Label, Before: c.Before, After: c.After} // JSON escapes what must not reach a terminal
		if of == ruleItems() {
			row.Label, row.Rule = "", c.Label
		}
		rows = append(rows, row)
	}
	return rows
}

func printEdits(w io.Writer, past vocab.Past, edits []vocab.Edit, of items) error {
	var b strings.Builder
	if len(edits) == 0 {
		b.WriteString("no edit is recorded")
		if len(past.Edits) > 0 {
			fmt.Fprintf(&b, " in this selection; the history begins %s", past.Edits[0].Time.Local().Format(time.DateTime))
		}
		b.WriteByte('\n')
	}
	for _, e := range edits {
		fmt.Fprintf(&b, "%s  version %s", e.Time.Local().Format(time.DateTime), topics.Clean(e.Version))
		switch {
		case e.Begins:
			items := of.many
			if e.Labels == "1" {
				items = strings.TrimSuffix(items, "s")
			}
			fmt.Fprintf(&b, "  the history begins, with %s %s", topics.Clean(e.Labels), items)
		case e.Note != "":
			fmt.Fprintf(&b, "  %s (%s)", topics.Clean(e.By), topics.Clean(e.Note))
		default:
			b.WriteString("  " + topics.Clean(e.By))
		}
		b.WriteByte('\n')
		if e.Cut {
			b.WriteString("  (older parts of this edit are forgotten)\n")
		}
		writeChanges(&b, e.Changes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mostChanges bounds the changes that are printed for an edit; JSON has all of them.
const mostChanges = 50

func writeChanges(b *strings.Builder, changes []vocab.EntryChange) {
	for _, c := range changes[:min(mostChanges, len(changes))] {
		label := topics.Clean(fmt.Sprintf("%q", c.Label))
		switch {
		case c.Before == nil:
			fmt.Fprintf(b, "  + %s %s\n", label, shownValue(c.After))
		case c.After == nil:
			fmt.Fprintf(b, "  - %s %s\n", label, shownValue(c.Before))
		default:
			fmt.Fprintf(b, "  ~ %s %s -> %s\n", label, shownValue(c.Before), shownValue(c.After))
		}
	}
	if more := len(changes) - mostChanges; more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
}

func shownValue(value *string) string {
	if *value == "" {
		return "(no value)"
	}
	return topics.Clean(*value)
}

func (p Program) vocabDiff(t *vocabTarget) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff [FROM] [TO]", Short: "Show what differs between two versions or times; without arguments, the last edit",
		Long:    "Shows how the vocabulary at TO differs from the one at FROM. Each is a version, which may be given by its\nfirst characters, or a time: RFC 3339, Unix seconds, or how long ago (10m, 7d). TO is now if it is left out.",
		Example: "  frostwatch vocab diff\n  frostwatch vocab diff 7d\n  frostwatch vocab diff 5c3f09aa 2026-11-29T08:00:00Z",
		Args:    most(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				past, err := s.Past(ctx, name)
				if err != nil {
					return err
				}
				changes, err := differences(past, args)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(p.Out, changeRows(changes, labelItems()))
				}
				var b strings.Builder
				if writeChanges(&b, changes); len(changes) == 0 {
					b.WriteString("nothing differs\n")
				}
				_, err = io.WriteString(p.Out, b.String())
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

func differences(past vocab.Past, args []string) ([]vocab.EntryChange, error) {
	if len(args) == 0 {
		if len(past.Edits) == 0 || past.Edits[len(past.Edits)-1].Begins {
			return nil, errors.New("no edit is recorded since the history began")
		}
		return past.Edits[len(past.Edits)-1].Changes, nil
	}
	before, err := contentAt(past, args[0])
	if err != nil {
		return nil, err
	}
	after := past.Now
	if len(args) > 1 {
		if after, err = contentAt(past, args[1]); err != nil {
			return nil, err
		}
	}
	return vocab.Differences(before, after), nil
}

// contentAt is the content of a version or at a time.
func contentAt(past vocab.Past, text string) (map[string]string, error) {
	at, err := past.Version(text)
	if unknown := new(vocab.Unknown); errors.As(err, &unknown) {
		if moment, notTime := export.ParseMoment(text, time.Now()); notTime == nil {
			at, err = past.At(moment)
		}
	}
	if err != nil {
		return nil, err
	}
	return past.After(at)
}

func (p Program) vocabRollback(t *vocabTarget) *cobra.Command {
	var before string
	var dry bool
	cmd := &cobra.Command{
		Use: "rollback VERSION", Short: "Restore a version, or with --before what was there before a time",
		Long:    "Restores the vocabulary as it was. This is an edit as any other: it is recorded, and can be rolled back.",
		Example: "  frostwatch vocab rollback 5c3f09aa --dry-run\n  frostwatch vocab rollback --before 10m",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (before == "") == (len(args) == 0) {
				return errors.New("vocab rollback: want VERSION, or --before TIME")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				past, err := s.Past(ctx, name)
				if err != nil {
					return err
				}
				entries, to, err := rollbackTo(past, args, before, labelItems())
				if err != nil {
					return err
				}
				if dry {
					return p.printPlan(past, entries)
				}
				s = s.By(t.by, "vocab rollback to "+to)
				return p.edit(ctx, t, s, name, func() error { return s.Restore(ctx, name, entries) })
			})
		},
	}
	cmd.Flags().StringVar(&before, "before", "", "a time: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only print what would change")
	return cmd
}

// rollbackTo returns what to restore, and its version.
func rollbackTo(past vocab.Past, args []string, before string, of items) (entries map[string]string, version string, err error) {
	var at int
	if before != "" {
		moment, err := export.ParseMoment(before, time.Now())
		if err != nil {
			return nil, "", fmt.Errorf("--before %w", err)
		}
		at, err = past.At(moment)
		if err != nil {
			return nil, "", err
		}
	} else if at, err = past.Version(args[0]); err != nil {
		return nil, "", err
	}
	if entries, err = past.After(at); err != nil {
		return nil, "", err
	}
	if len(entries) == 0 {
		return nil, "", fmt.Errorf("version %s has no %s: to empty %s on purpose, use `%s rm --all`", past.Edits[at].Version, of.many, of.all, of.command)
	}
	return entries, past.Edits[at].Version, nil
}

func (p Program) printPlan(past vocab.Past, entries map[string]string) error {
	var b strings.Builder
	changes := vocab.Differences(past.Now, entries)
	if len(changes) == 0 {
		b.WriteString("nothing would change\n")
	} else {
		b.WriteString("would change:\n")
		writeChanges(&b, changes)
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}
