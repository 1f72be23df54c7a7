package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/infer/froster"
)

const (
	bundleMark = "bundle.json"
	maxLicence = 24 // letters of it in the list; show has all
)

func (p Program) modelList() *cobra.Command {
	var models string
	cmd := &cobra.Command{
		Use: "ls", Short: "List the models", Args: none,
		RunE: func(*cobra.Command, []string) error { return p.listModels(models) },
	}
	modelsFlag(cmd, &models)
	return cmd
}

func (p Program) listModels(models string) error {
	folders, err := os.ReadDir(models)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("list models: %w", err)
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = io.WriteString(t, strings.Join(cells, "\t")+"\n") } // t writes to memory
	row("FOLDER", "ID", "PRECISION", "IMAGE", "EMBEDDING", "BASE", "SIZE", "LICENCE")
	found := 0
	for _, f := range folders {
		dir := filepath.Join(models, f.Name())
		if _, err := os.Stat(filepath.Join(dir, bundleMark)); err != nil {
			continue
		}
		found++
		m, err := froster.OpenBundle(dir)
		if err != nil {
			row(f.Name(), "broken: "+err.Error())
			continue
		}
		if missing := m.Missing(); len(missing) > 0 {
			row(f.Name(), "broken: without "+strings.Join(missing, ", ")+": import the checkpoint again")
			continue
		}
		licence, _, _ := strings.Cut(m.Licence, " (")
		if len([]rune(licence)) > maxLicence {
			licence = string([]rune(licence)[:maxLicence]) + "…"
		}
		row(f.Name(), m.ID, string(m.Precision), fmt.Sprintf("%d px", m.Dims.ImageSize), fmt.Sprint(m.Dims.EmbedDim),
			fmt.Sprint(len(m.BaseClasses)), fmt.Sprintf("%d MB", sizeOf(dir)/megabyte), licence)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if found == 0 {
		_, err := fmt.Fprintf(p.Out, "no models in %s (`frostwatch model import` and `model pull` make them)\n", models)
		return err
	}
	_, err = io.WriteString(p.Out, b.String())
	return err
}

// sizeOf returns the size of a folder's files, as far as they can be read.
func sizeOf(dir string) int64 {
	total := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}

// modelDir returns the folder of the model of that name, which is always below
// models.
func modelDir(models, name string) (string, error) {
	if name != filepath.Base(name) || !filepath.IsLocal(name) || name == "." {
		return "", fmt.Errorf("%q is not a model's name: `frostwatch model ls` lists them", name)
	}
	dir := filepath.Join(models, name)
	if _, err := os.Stat(filepath.Join(dir, bundleMark)); err != nil {
		return "", fmt.Errorf("no model %s in %s: `frostwatch model ls` lists them", name, models)
	}
	return dir, nil
}

// openModel opens a model by its name in models, or by its folder.
func openModel(models, name string) (*froster.Bundle, error) {
	if _, err := os.Stat(filepath.Join(name, bundleMark)); err == nil {
		return froster.OpenBundle(name)
	}
	dir, err := modelDir(models, name)
	if err != nil {
		return nil, err
	}
	return froster.OpenBundle(dir)
}

func (p Program) modelShow() *cobra.Command {
	var models string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NAME|FOLDER", Short: "Show everything about a model", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := openModel(models, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(p.Out)
				e.SetIndent("", "  ")
				return e.Encode(b)
			}
			if err := b.Print(p.Out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "scale    %g\nlayers   activation %s, context %d\npixels   %s\n", b.LogitScale, b.Dims.Activation, b.Dims.Context, b.Preprocessing)
			for _, file := range slices.Sorted(maps.Keys(b.SHA256)) {
				if err == nil {
					_, err = fmt.Fprintf(p.Out, "file     %s, SHA-256 %s\n", file, b.SHA256[file])
				}
			}
			for _, c := range b.BaseClasses {
				if err == nil {
					_, err = fmt.Fprintf(p.Out, "base     %s\n", c)
				}
			}
			return err
		},
	}
	modelsFlag(cmd, &models)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

func (p Program) modelRemove() *cobra.Command {
	var models string
	cmd := &cobra.Command{
		Use: "rm NAME", Short: "Remove a model", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := modelDir(models, args[0])
			if err != nil {
				return err
			}
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("remove model %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(p.Out, "removed %s\n", dir)
			return err
		},
	}
	modelsFlag(cmd, &models)
	return cmd
}
