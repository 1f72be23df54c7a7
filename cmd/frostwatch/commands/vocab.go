package commands

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/vocab"
)

// vocabTarget is a vocabulary somewhere.
type vocabTarget struct {
	target
	name string // empty: the configured one
}

func (t *vocabTarget) with(ctx context.Context, do func(ctx context.Context, s *vocab.Store, name string) error) error {
	return t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		name := t.name
		if name == "" {
			name = cfg.Vocab.Name
		}
		return do(ctx, vocab.NewStore(c, cfg.Redis.Prefix), name)
	})
}

func (p Program) vocabCommand() *cobra.Command {
	t := &vocabTarget{}
	cmd := &cobra.Command{Use: "vocab", Short: "Look at and edit the vocabulary while everything runs"}
	t.flags(cmd)
	cmd.PersistentFlags().StringVar(&t.name, "vocabulary", "", "name of the vocabulary (default: vocab.name of the configuration)")
	cmd.AddCommand(p.vocabList(t), p.vocabAdd(t), p.vocabRemove(t), p.vocabImport(t))
	return cmd
}

func (p Program) vocabList(t *vocabTarget) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List the labels", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				v, err := s.List(ctx, name)
				if err != nil {
					return err
				}
				return p.printVocabulary(v)
			})
		},
	}
}

func (p Program) printVocabulary(v vocab.Vocabulary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "vocabulary %s, version %s, %d labels\n", v.Name, v.Version, len(v.Labels))
	for _, l := range v.Labels {
		value, err := l.Value()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  %-40s %s\n", l.Name, value)
	}
	for _, problem := range v.Problems {
		fmt.Fprintf(&b, "  skipped: %s\n", problem)
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}

func (p Program) vocabAdd(t *vocabTarget) *cobra.Command {
	var l vocab.Label
	cmd := &cobra.Command{
		Use: "add LABEL", Short: "Add a label, or replace the one of that name", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.Name = args[0]
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error { return s.Put(ctx, name, l) })
		},
	}
	cmd.Flags().StringVar(&l.Description, "description", "", "more words for the model")
	cmd.Flags().StringArrayVar(&l.Aliases, "alias", nil, "another wording; repeatable")
	cmd.Flags().StringSliceVar(&l.Tags, "tag", nil, "tag for rules; repeatable")
	cmd.Flags().BoolVar(&l.Background, "background", false, "normal: never alerted on by tag or as novel")
	cmd.Flags().Float64Var(&l.Threshold, "threshold", 0, "score to raise at, for rules without one")
	return cmd
}

func (p Program) vocabRemove(t *vocabTarget) *cobra.Command {
	return &cobra.Command{
		Use: "rm LABEL...", Short: "Remove labels", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, labels []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				absent, err := s.Remove(ctx, name, labels...)
				if err == nil && len(absent) > 0 {
					err = fmt.Errorf("not in the vocabulary: %q", absent)
				}
				return err
			})
		},
	}
}

func (p Program) vocabImport(t *vocabTarget) *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Add the labels of a file, one a line, or of standard input for -", Args: cobra.ExactArgs(1),
		Long: "Adds the labels of a file: one a line, optionally followed by a tab and a description or a JSON value.\nEmpty lines and lines that begin with # are passed over. A file with a mistake changes nothing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("import labels: %w", err)
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			labels, err := vocab.ReadLabels(in)
			if err != nil {
				return fmt.Errorf("import labels from %s: %w", args[0], err)
			}
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				if err := s.Put(ctx, name, labels...); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Out, "%d labels added\n", len(labels))
				return err
			})
		},
	}
}
