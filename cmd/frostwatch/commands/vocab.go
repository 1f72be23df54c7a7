package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// vocabTarget is a vocabulary and the servers on which it is.
type vocabTarget struct {
	target
	name       string // empty: the configured one
	configured string // vocab.name of the configuration; set by with
	by, note   string // who edits, and with which command, for the history
	// rules are all that are known; set by with. What can't be read is left out.
	rules func(context.Context) []alerts.Rule
	// cosines compares labels' texts; set by with.
	cosines func(context.Context, vocab.Vocabulary) (func(a, b string) (float64, bool), error)
}

func (t *vocabTarget) with(ctx context.Context, do func(ctx context.Context, s *vocab.Store, name string) error) error {
	return t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		s, name := t.store(c, cfg)
		t.rules = func(ctx context.Context) []alerts.Rule { return allRules(ctx, c, cfg) }
		t.cosines = func(ctx context.Context, v vocab.Vocabulary) (func(a, b string) (float64, bool), error) {
			return words.Cosines(ctx, c, cfg.Redis.Prefix, v)
		}
		return do(ctx, s, name)
	})
}

// store is the store of a server, and the vocabulary's name.
func (t *vocabTarget) store(c *redis.Client, cfg config.Config) (s *vocab.Store, name string) {
	t.configured = cfg.Vocab.Name
	if name = t.name; name == "" {
		name = cfg.Vocab.Name
	}
	return vocab.NewStore(c, cfg.Redis.Prefix).By(t.by, t.note), name
}

func (p Program) vocabCommand() *cobra.Command {
	t := &vocabTarget{}
	cmd := &cobra.Command{Use: "vocab", Short: "Show and edit the vocabulary while everything runs"}
	t.flags(cmd)
	vocabularyFlag(cmd.PersistentFlags(), &t.name, "name of the vocabulary (default: vocab.name of the configuration)")
	cmd.PersistentFlags().StringVar(&t.by, "by", whoEdits(), "who makes an edit, for its history")
	cmd.PersistentFlags().Lookup("by").DefValue = "" // help would name the machine that it was made on
	cmd.PersistentPreRun = func(cmd *cobra.Command, _ []string) { t.note = pathOf(cmd) }
	cmd.AddCommand(p.vocabList(t), p.vocabAdd(t), p.vocabRemove(t), p.vocabImport(t), p.vocabExport(t), p.vocabLint(t), p.vocabHistory(t), p.vocabDiff(t), p.vocabRollback(t))
	cmd.AddCommand(p.vocabTry(t), p.vocabCheck(t))
	return cmd
}

// vocabularyFlag adds --vocab, which may also be written --vocabulary.
func vocabularyFlag(f *pflag.FlagSet, name *string, usage string) {
	f.StringVar(name, "vocab", "", usage)
	f.StringVar(name, "vocabulary", "", usage)
	f.Lookup("vocabulary").Hidden = true
}

func (p Program) vocabList(t *vocabTarget) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the labels", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				v, err := s.List(ctx, name)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(p.Out, labelRows(v))
				}
				force, err := s.InForce(ctx, name)
				if err != nil {
					return err
				}
				names, err := s.Names(ctx)
				if err != nil {
					return err
				}
				return p.printVocabulary(ctx, t, s, v, force, slices.DeleteFunc(names, func(n string) bool { return n == name }))
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// labelRow is a label in the output of `vocab ls --json`.
type labelRow struct {
	Name string `json:"label"`
	vocab.Label
	Skipped string `json:"skipped,omitempty"` // why the label can't be used
}

func labelRows(v vocab.Vocabulary) []labelRow {
	rows := make([]labelRow, 0, len(v.Labels)+len(v.Problems))
	for _, l := range v.Labels {
		rows = append(rows, labelRow{Name: l.Name, Label: l})
	}
	for _, problem := range v.Problems {
		rows = append(rows, labelRow{Name: topics.Clean(problem.Label), Skipped: topics.Clean(problem.Err.Error())})
	}
	return rows
}

func (p Program) printVocabulary(ctx context.Context, t *vocabTarget, s *vocab.Store, v vocab.Vocabulary, force []vocab.InForce, others []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "vocabulary %s, version %s, %s\n", v.Name, v.Version, labelCount(len(v.Labels)))
	for _, l := range v.Labels {
		value, err := l.Value()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  %-40s %s\n", topics.Clean(l.Name), topics.Clean(value))
	}
	writeSkipped(&b, v)
	if err := t.countAdvice(ctx, &b, s, v); err != nil {
		return err
	}
	writeInForce(&b, v, t.configured, force)
	if len(others) > 0 {
		fmt.Fprintf(&b, "other vocabularies: %s (vocab ls --vocab NAME)\n", topics.Clean(strings.Join(others, ", ")))
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}

func labelCount(n int) string {
	if n == 1 {
		return "1 label"
	}
	return fmt.Sprintf("%d labels", n)
}

// writeSkipped lists the labels in Redis that can't be used, and why.
func writeSkipped(b *strings.Builder, v vocab.Vocabulary) {
	for _, problem := range v.Problems {
		fmt.Fprintf(b, "  skipped: %s\n", topics.Clean(problem.String()))
	}
}

// edit calls do and prints how that has changed the vocabulary.
func (p Program) edit(ctx context.Context, t *vocabTarget, s *vocab.Store, name string, do func() error) error {
	before, err := s.List(ctx, name)
	if vocab.IsUnreadable(err) {
		return p.editUnread(ctx, s, name, do)
	}
	if err != nil {
		return err
	}
	were, err := s.InForce(ctx, name)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := s.List(ctx, name)
	if err != nil {
		return err
	}
	var b strings.Builder
	changes := vocab.Changes(before, after)
	const most = 20
	for _, c := range changes[:min(most, len(changes))] {
		b.WriteString(process.EditText(c) + replaced(c, before, after) + "\n")
	}
	if more := len(changes) - most; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	if len(changes) == 0 {
		b.WriteString(unchanged(before, were) + "\n")
	}
	fmt.Fprintf(&b, "vocabulary %s: %s, version %s\n", after.Name, labelCount(len(after.Labels)), after.Version)
	writeSkipped(&b, after)
	t.writeNaming(ctx, &b, after, changes)
	force, err := awaitForce(ctx, s, after) // then its texts are embedded, and can be compared
	if err != nil {
		return err
	}
	if err := adviseOn(ctx, &b, s, after, changes, t.compare(ctx, after)); err != nil {
		return err
	}
	writeInForce(&b, after, t.configured, force)
	_, err = io.WriteString(p.Out, b.String())
	return err
}

// unchanged says what an edit did that changed no label in Redis. After Redis has
// lost its data, emptying the vocabulary ends what was still in force.
func unchanged(before vocab.Vocabulary, were []vocab.InForce) string {
	kept := 0
	for _, f := range were {
		if f.Version != before.Version {
			kept = max(kept, f.Labels)
		}
	}
	if len(before.Labels) == 0 && kept > 0 {
		return "Redis held no labels, but workers still had " + labelCount(kept) + " in force: these are removed"
	}
	return "nothing has changed"
}

// editUnread is edit of a vocabulary that can't be read: do can still remove from it. The
// error is why it can't be read, as long as it can't.
func (p Program) editUnread(ctx context.Context, s *vocab.Store, name string, do func() error) error {
	if err := do(); err != nil {
		return err
	}
	after, err := s.List(ctx, name)
	if err != nil {
		return fmt.Errorf("edited, but it still can't be read: %w", err)
	}
	_, err = fmt.Fprintf(p.Out, "vocabulary %s: %s, version %s\n", after.Name, labelCount(len(after.Labels)), after.Version)
	return err
}

func (p Program) vocabAdd(t *vocabTarget) *cobra.Command {
	var l vocab.Label
	cmd := &cobra.Command{
		Use: "add LABEL", Short: "Add a label, or replace the one of that name", Args: exactly(1),
		Example: "  frostwatch vocab add climbing --alias 'scaling a wall' --tag perimeter\n" +
			"  frostwatch vocab add 'sitting down' --begins 'a person standing' --ends 'sitting on a chair'",
		RunE: func(cmd *cobra.Command, args []string) error {
			l.Name = args[0]
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				return p.edit(ctx, t, s, name, func() error { return s.Put(ctx, name, l) })
			})
		},
	}
	cmd.Flags().StringVar(&l.Description, "description", "", "more words for the model")
	cmd.Flags().StringArrayVar(&l.Aliases, "alias", nil, "another wording; repeatable")
	cmd.Flags().StringSliceVar(&l.Tags, "tag", nil, "tag for rules; repeatable")
	cmd.Flags().BoolVar(&l.Background, "background", false, "a normal activity: rules never alert on it by tag or as novel")
	cmd.Flags().Float64Var(&l.Threshold, "threshold", 0, "score to raise at, for rules without one")
	cmd.Flags().StringVar(&l.Begins, "begins", "", "what its first moments show, such as 'a person standing'; with --ends")
	cmd.Flags().StringVar(&l.Ends, "ends", "", "what its last moments show; with --begins")
	return cmd
}

func (p Program) vocabRemove(t *vocabTarget) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "rm LABEL...", Short: "Remove labels, or all of them with --all",
		Args: func(_ *cobra.Command, labels []string) error {
			if all == (len(labels) > 0) {
				return errors.New("want labels to remove, or --all without labels")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, labels []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				if all {
					return p.edit(ctx, t, s, name, func() error { return s.Clear(ctx, name) })
				}
				return p.removeLabels(ctx, t, s, name, labels)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove every label on purpose: nothing is recognised until one is added")
	return cmd
}

func (p Program) removeLabels(ctx context.Context, t *vocabTarget, s *vocab.Store, name string, labels []string) error {
	err := p.edit(ctx, t, s, name, func() error {
		absent, err := s.Remove(ctx, name, labels...)
		if err == nil && len(absent) > 0 {
			return notThere(ctx, s, name, absent)
		}
		return err
	})
	if errors.Is(err, vocab.ErrLast) {
		return fmt.Errorf("%w: add another first, or empty the vocabulary on purpose with --all", err)
	}
	return err
}

// notThere is the error that labels are not in the vocabulary, so that none was removed,
// with those that may have been meant.
func notThere(ctx context.Context, s *vocab.Store, name string, absent []string) error {
	var there []string
	// That a vocabulary can't be read is no reason to hide the error.
	v, _ := s.List(ctx, name)
	for _, l := range v.Labels {
		there = append(there, l.Name)
	}
	texts := make([]string, len(absent))
	for i, label := range absent {
		texts[i] = fmt.Sprintf("%q", label)
		if meant := vocab.Nearest(label, there); meant != "" {
			texts[i] += fmt.Sprintf(" (there is %q)", meant)
		}
	}
	return fmt.Errorf("not in the vocabulary: %s; none was removed", strings.Join(texts, ", "))
}
