package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) vocabLint(t *vocabTarget) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "lint [FILE]", Short: "List labels that the model is likely to read otherwise than they are meant", Args: most(1),
		Long: "Lists labels that the model is likely to read otherwise than they are meant: negations, misspelt words,\nother languages, texts that are too long, labels that say the same. Of the vocabulary, or of a file as\n`vocab import` reads it. Labels that say the same are compared by the model if an infer worker runs,\notherwise by their words. `vocab add` and `vocab import` give the same advice, and refuse nothing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			reader, err := labelReader()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				labels, err := p.readImport(cmd.InOrStdin(), args[0])
				if err != nil {
					return err
				}
				reader = t.ofModel(cmd.Context(), reader)
				return p.printAdvice(vocab.Lint(labels, labels, reader), len(labels), asJSON)
			}
			return t.withRedis(cmd.Context(), func(ctx context.Context, c *redis.Client, cfg config.Config) error {
				s, name := t.store(c, cfg)
				v, err := s.List(ctx, name)
				if err != nil {
					return err
				}
				if reader, err = words.OfModel(ctx, s, name, reader); err != nil {
					return err
				}
				if reader.Cosine, err = words.Cosines(ctx, c, cfg.Redis.Prefix, v); err != nil {
					return err
				}
				return p.printAdvice(vocab.Lint(v.Labels, v.Labels, reader), len(v.Labels), asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// ofModel is the reader of the model that runs, if Redis says which at once: a file can be
// checked without it.
func (t *vocabTarget) ofModel(ctx context.Context, r vocab.Reader) vocab.Reader {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	of := r
	err := t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) (err error) {
		s, name := t.store(c, cfg)
		of, err = words.OfModel(ctx, s, name, r)
		return err
	})
	if err != nil {
		return r
	}
	return of
}

// labelReader is what is known of every model.
func labelReader() (vocab.Reader, error) { return words.NewReader(demo.Texts()...) }

func (p Program) printAdvice(advice []vocab.Advice, labels int, asJSON bool) error {
	if asJSON {
		if advice == nil {
			advice = []vocab.Advice{}
		}
		return printJSON(p.Out, advice)
	}
	var b strings.Builder
	writeAdvice(&b, advice, len(advice))
	if len(advice) == 0 {
		fmt.Fprintf(&b, "%s: no advice\n", labelCount(labels))
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}

func writeAdvice(b *strings.Builder, advice []vocab.Advice, most int) {
	for _, a := range advice[:min(most, len(advice))] {
		fmt.Fprintf(b, "advice: %s\n", topics.Clean(a.String()))
	}
	if more := len(advice) - most; more > 0 {
		fmt.Fprintf(b, "and %d more: see `frostwatch vocab lint`\n", more)
	}
}

// adviseOn gives advice on the labels that an edit has added or changed. cosine compares
// them with others; nil: by their words.
func adviseOn(ctx context.Context, b *strings.Builder, s *vocab.Store, v vocab.Vocabulary, changes []vocab.Change, cosine func(a, b string) (float64, bool)) error {
	const most = 10
	edited := map[string]bool{}
	for _, c := range changes {
		if c.What == vocab.Added || c.What == vocab.Changed {
			edited[c.Label] = true
		}
	}
	var labels []vocab.Label
	for _, l := range v.Labels {
		if edited[l.Name] {
			labels = append(labels, l)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	reader, err := labelReader()
	if err != nil {
		return err
	}
	if reader, err = words.OfModel(ctx, s, v.Name, reader); err != nil {
		return err
	}
	reader.Cosine = cosine
	writeAdvice(b, vocab.Lint(labels, v.Labels, reader), most)
	return nil
}

// compare is cosines for a command that does not wait for an infer that is busy.
func (t *vocabTarget) compare(ctx context.Context, v vocab.Vocabulary) func(a, b string) (float64, bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	cosine, err := t.cosines(ctx, v)
	if err != nil { // advice is not worth an error
		return nil
	}
	return cosine
}

// countAdvice is the line of `vocab ls` about labels that there is advice on.
func (t *vocabTarget) countAdvice(ctx context.Context, b *strings.Builder, s *vocab.Store, v vocab.Vocabulary) error {
	reader, err := labelReader()
	if err != nil {
		return err
	}
	if reader, err = words.OfModel(ctx, s, v.Name, reader); err != nil {
		return err
	}
	reader.Cosine = t.compare(ctx, v)
	on := map[string]bool{}
	for _, a := range vocab.Lint(v.Labels, v.Labels, reader) {
		on[a.Label] = true
	}
	if len(on) > 0 {
		fmt.Fprintf(b, "advice on %s: see `frostwatch vocab lint`\n", labelCount(len(on)))
	}
	return nil
}
