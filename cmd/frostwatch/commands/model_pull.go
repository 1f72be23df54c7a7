package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/infer/froster/pull"
)

func (p Program) modelPull() *cobra.Command {
	var o froster.ImportOptions
	var list, models string
	var keep bool
	cmd := &cobra.Command{
		Use: "pull [NAME]", Short: "Download a known checkpoint and import it", Args: cobra.MaximumNArgs(1),
		Long: "Downloads a checkpoint that is known by name, verifies its SHA-256 and imports it. What an interrupted\n" +
			"download has received is kept, and the next one continues from there. Without a name it lists the\nknown checkpoints.",
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := pull.Known(list)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return p.listKnown(known)
			}
			c, err := pull.Find(known, args[0])
			if err != nil {
				return err
			}
			return p.pull(cmd.Context(), c, o, models, keep)
		},
	}
	importFlags(cmd, &o)
	modelsFlag(cmd, &models)
	cmd.Flags().StringVar(&list, "list", "", "JSON file of further checkpoints: a list of name, url, sha256")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the checkpoint beside the model made of it")
	return cmd
}

func (p Program) listKnown(known []pull.Checkpoint) error {
	var notes []string
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "NAME\tSIZE\tLICENCE\tADDRESS\n") // Flush has the error
	for _, c := range known {
		mark := ""
		if c.Note != "" {
			if !slices.Contains(notes, c.Note) {
				notes = append(notes, c.Note)
			}
			mark = fmt.Sprintf(" [%d]", slices.Index(notes, c.Note)+1)
		}
		size, licence := "not known", "the format's"
		if c.Size > 0 {
			size = fmt.Sprintf("%d MB", c.Size/megabyte)
		}
		if c.Licence != "" {
			licence, _, _ = strings.Cut(c.Licence, " (")
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s%s\n", c.Name, size, licence, c.URL, mark)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, note := range notes {
		if _, err := fmt.Fprintf(p.Out, "[%d] %s\n", i+1, note); err != nil {
			return err
		}
	}
	return nil
}

// modelNamed is modelFor with the checkpoints that this version knows. What it says goes to
// Err, since Out may be for JSON.
func (p Program) modelNamed(ctx context.Context, models, name string) (string, error) {
	known, err := pull.Known("")
	if err != nil {
		return "", err
	}
	p.Out = p.Err
	return p.modelFor(ctx, known, models, name)
}

// modelFor returns the folder of the model that somebody names: a folder, one in
// models, or a known checkpoint, which is pulled and imported into models if it is not there
// yet; its name may end in a precision. Any other name is returned as it is.
func (p Program) modelFor(ctx context.Context, known []pull.Checkpoint, models, name string) (string, error) {
	if name == "" || hasBundle(name) || name != filepath.Base(name) {
		return name, nil
	}
	if dir := filepath.Join(models, name); hasBundle(dir) {
		return dir, nil
	}
	var o froster.ImportOptions
	bare := name
	for _, precision := range []froster.Precision{froster.Int8, froster.Float16} {
		if rest, ok := strings.CutSuffix(name, "-"+string(precision)); ok {
			bare, o.Precision = rest, precision
		}
	}
	c, err := pull.Find(known, bare)
	if err != nil {
		return "", fmt.Errorf("--model %s: no such folder, no model in %s, and %w", name, models, err)
	}
	dir := filepath.Join(models, withKind(c.Folder(), o))
	if hasBundle(dir) {
		return dir, nil
	}
	return dir, p.pull(ctx, c, o, models, false)
}

func hasBundle(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, bundleMark))
	return err == nil
}

func (p Program) pull(ctx context.Context, c pull.Checkpoint, o froster.ImportOptions, models string, keep bool) error {
	folder := withKind(c.Folder(), o)
	if o.Name == "" {
		o.Name = c.Name
	} else {
		folder = bundleName(o)
	}
	if o.Activation == "" {
		o.Activation = c.Activation
	}
	if o.BaseClasses == "" {
		o.BaseClasses = c.BaseClasses
	}
	o.Out = filepath.Join(models, folder)
	if _, err := os.Stat(o.Out); err == nil {
		return fmt.Errorf("%s already exists (`frostwatch model rm %s` removes it)", o.Out, filepath.Base(o.Out))
	}
	if c.Note != "" {
		if _, err := fmt.Fprintf(p.Err, "%s: %s\n", c.Name, c.Note); err != nil {
			return err
		}
	}
	shown := &progress{out: p.Err, name: c.Name, terminal: isTerminal(p.Err), now: time.Now}
	file, err := pull.Fetch(ctx, pull.Options{Dir: filepath.Join(models, ".checkpoints"), Progress: shown.show, Retry: shown.retry}, c)
	shown.end()
	if unreached := (*pull.UnreachedError)(nil); errors.As(err, &unreached) {
		return fmt.Errorf("%w; download it elsewhere: %s, then `frostwatch model import %s`", err, c.URL, importLine(c, o, models))
	}
	if err != nil {
		return err
	}
	o.Checkpoint = file
	if c.Licence != "" && o.Card == "" {
		if o.Card, err = licenceCard(filepath.Dir(file), c.Licence); err != nil {
			return err
		}
		defer func() { _ = os.Remove(o.Card) }()
	}
	if err := p.importModel(ctx, o); err != nil || keep {
		return err
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("remove the checkpoint that was imported: %w", err)
	}
	return nil
}

// importLine are the arguments with which somebody imports, as pull would, a checkpoint that
// another machine has downloaded.
func importLine(c pull.Checkpoint, o froster.ImportOptions, models string) string {
	name := o.Name
	if name == c.Name {
		name = c.Folder()
	}
	line := "FILE --name " + name
	flag := func(name, value, usual string) {
		if value != "" && value != usual {
			line += fmt.Sprintf(" --%s %s", name, value)
		}
	}
	flag("precision", string(o.Precision), string(froster.Float32))
	flag("activation", o.Activation, "")
	flag("base-classes", o.BaseClasses, "")
	flag("card", o.Card, "")
	flag("models", models, "models")
	if o.Framewise {
		line += " --framewise"
	}
	return line
}

// licenceCard writes a model card that contains only the licence.
func licenceCard(dir, licence string) (string, error) {
	f, err := os.CreateTemp(dir, "card-*.json")
	if err != nil {
		return "", fmt.Errorf("write the model's licence: %w", err)
	}
	err = json.NewEncoder(f).Encode(map[string]string{"licence": licence})
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write the model's licence: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return f.Name(), nil
}

// isTerminal reports whether output goes to a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// columns returns the width of a terminal, 80 if it is unknown.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}

// progress shows the progress of a download: a bar on a terminal, otherwise a line
// for each tenth.
type progress struct {
	out      io.Writer
	name     string
	terminal bool
	now      func() time.Time

	begun, drawn time.Time
	first, tenth int64
	drew         bool
}

const (
	barWidth = 30
	barEvery = 100 * time.Millisecond
	megabyte = 1 << 20
)

func (s *progress) show(done, total int64) {
	now := s.now()
	if s.begun.IsZero() || done < s.first { // a server without ranges begins again
		s.begun, s.first = now, done
	}
	if !s.terminal {
		if total > 0 && done*10/total > s.tenth {
			s.tenth = done * 10 / total
			s.say("%s: %d%% of %d MB\n", s.name, s.tenth*10, total/megabyte)
		}
		return
	}
	if now.Sub(s.drawn) < barEvery && done != total {
		return
	}
	s.drawn, s.drew = now, true
	speed := float64(max(done-s.first, 0)) / megabyte / max(now.Sub(s.begun).Seconds(), 1e-3)
	if total <= 0 {
		s.say("\r%s  %d MB  %.1f MB/s\x1b[K", s.name, done/megabyte, speed)
		return
	}
	full := int(barWidth * min(done, total) / total)
	s.say("\r%s  [%s%s] %3d%%  %d of %d MB  %.1f MB/s\x1b[K", s.name, strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
		100*done/total, done/megabyte, total/megabyte, speed)
}

func (s *progress) retry(err error) {
	s.end()
	s.say("%s: %v; trying again\n", s.name, err)
}

// end moves on from the bar's line.
func (s *progress) end() {
	if s.drew {
		s.say("\n")
		s.drew = false
	}
}

func (s *progress) say(format string, args ...any) {
	// The download goes on even if nobody can read its progress.
	_, _ = fmt.Fprintf(s.out, format, args...)
}
