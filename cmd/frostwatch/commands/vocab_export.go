package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) vocabExport(t *vocabTarget) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Write the labels to a file or to standard output, as import reads them", Args: most(1),
		Long: "Writes the labels with everything that belongs to them, as a JSON array with one label on each line.\n`vocab import --replace` makes the vocabulary the same again. Labels that can't be used are left out and named.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				v, err := exported(ctx, s, name, at)
				if err != nil {
					return err
				}
				var b bytes.Buffer
				if err := vocab.WriteLabels(&b, v.Labels); err != nil {
					return err
				}
				for _, problem := range v.Problems {
					if _, err := fmt.Fprintf(p.Err, "left out: %s\n", topics.Clean(problem.String())); err != nil {
						return err
					}
				}
				if len(args) == 0 || args[0] == "-" {
					_, err = p.Out.Write(b.Bytes())
					return err
				}
				if err := writeWhole(args[0], b.Bytes()); err != nil {
					return fmt.Errorf("export labels: %w", err)
				}
				_, err = fmt.Fprintf(p.Out, "vocabulary %s, version %s: %s written to %s\n", v.Name, v.Version, labelCount(len(v.Labels)), args[0])
				return err
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "an older version, or a time, as for diff")
	return cmd
}

// exported is the vocabulary, or what it was at a version or time.
func exported(ctx context.Context, s *vocab.Store, name, at string) (vocab.Vocabulary, error) {
	if at == "" {
		return s.List(ctx, name)
	}
	past, err := s.Past(ctx, name)
	if err != nil {
		return vocab.Vocabulary{}, err
	}
	entries, err := contentAt(past, at)
	if err != nil {
		return vocab.Vocabulary{}, err
	}
	return vocab.Parse(name, entries)
}

// writeWhole writes a file so that it is never half there: a backup that fails
// leaves the one before.
func writeWhole(file string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func (p Program) vocabImport(t *vocabTarget) *cobra.Command {
	var replace bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Add the labels of a file, of standard input for -, or of a class list by its name", Args: exactly(1),
		Long: "Adds the labels of a file: one a line, optionally followed by a tab and a description or a JSON value;\nempty lines and lines that begin with # are ignored. Or what `vocab export` has written.\n" +
			"Or the classes of a data set: " + strings.Join(eval.BuiltIn(), ", ") + ".\nLabels that exist are replaced. A file with a mistake changes nothing, and neither does one that has\na label twice with different values.",
		RunE: func(cmd *cobra.Command, args []string) error {
			labels, err := p.readImport(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			if len(labels) == 0 {
				return fmt.Errorf("import labels from %s: there are none in it", args[0])
			}
			t.note += " " + args[0]
			return t.with(cmd.Context(), func(ctx context.Context, s *vocab.Store, name string) error {
				put := s.Put
				if replace {
					put = s.Replace
				}
				return p.edit(ctx, t, s, name, func() error { return put(ctx, name, labels...) })
			})
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "remove every label that is not among them")
	return cmd
}

// readImport reads the labels of a file; where there is none of that name, of a
// class list.
func (p Program) readImport(stdin io.Reader, from string) ([]vocab.Label, error) {
	in := stdin
	if from != "-" {
		f, err := os.Open(from)
		if errors.Is(err, fs.ErrNotExist) && filepath.Base(from) == from {
			return classLabels(from)
		}
		if err != nil {
			return nil, fmt.Errorf("import labels: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	labels, err := vocab.ReadLabels(in)
	if err != nil {
		return nil, fmt.Errorf("import labels from %s: %w", from, err)
	}
	return labels, nil
}

func classLabels(name string) ([]vocab.Label, error) {
	classes, err := eval.BuiltInClasses(name)
	if err != nil {
		return nil, fmt.Errorf("import labels: there is no file %s, and %w", name, err)
	}
	labels := make([]vocab.Label, len(classes))
	for i, class := range classes {
		labels[i] = vocab.Label{Name: class}
	}
	return labels, nil
}
