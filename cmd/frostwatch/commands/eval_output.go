package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/eval"
)

const (
	worstClasses = 10
	// toOut is the file name that means standard output.
	toOut = "-"
)

// output is a result file of an evaluation, and the flag that names it.
type output struct{ flag, path string }

func (o output) failed(err error) error {
	var at *fs.PathError // it would repeat the path
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("write --%s %s: %w", o.flag, o.path, err)
}

// outputs returns the result files that were asked for.
func (f evalFlags) outputs() []output {
	var out []output
	for _, o := range []output{{"json", f.json}, {"confusion", f.confusion}} {
		if o.path != "" && o.path != toOut {
			out = append(out, o)
		}
	}
	return out
}

// checkOutputs reports, before hours of work, a result file that can't be written.
// Existing files are not changed.
func (f evalFlags) checkOutputs() error {
	if f.confusion == toOut {
		return errors.New("--confusion -: want a file")
	}
	inputs, outputs := f.lists.Files(), f.outputs()
	if f.work != "" {
		inputs = append(inputs, eval.WorkFile(f.work))
	}
	for i, o := range outputs {
		for _, in := range inputs {
			if sameFile(o.path, in) {
				return o.failed(errors.New("the evaluation reads it: choose another file"))
			}
		}
		if i > 0 && sameFile(o.path, outputs[0].path) {
			return o.failed(fmt.Errorf("--%s is written there: choose another file", outputs[0].flag))
		}
		if err := o.try(); err != nil {
			return o.failed(err)
		}
	}
	return nil
}

// try reports whether a file can be written, by opening it.
func (o output) try() error {
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return tryNew(o.path)
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder: want a file")
	case !info.Mode().IsRegular():
		return nil // opening a pipe waits for its reader
	}
	f, err := os.OpenFile(o.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func tryNew(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("its folder does not exist")
	case errors.Is(err, fs.ErrExist):
		return errors.New("it is a link that leads nowhere")
	case err != nil:
		return err
	}
	return errors.Join(f.Close(), os.Remove(path))
}

// sameFile reports whether two paths lead to one regular file, which may not exist
// yet.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return infoA.Mode().IsRegular() && os.SameFile(infoA, infoB)
	}
	return errA != nil && errB != nil && resolved(a) == resolved(b)
}

// resolved returns the path of a file that may not exist yet, without links.
func resolved(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}

// evalReport writes the files before it prints, so that they are written even if
// standard output is closed.
func (p Program) evalReport(r *eval.Report, f evalFlags) error {
	var failed []error
	for _, o := range f.outputs() {
		draw := figuresJSON
		if o.flag == "confusion" {
			draw = confusionSVG
		}
		raw, err := draw(r)
		if err == nil {
			err = os.WriteFile(o.path, raw, 0o644)
		}
		if err != nil {
			failed = append(failed, o.failed(err))
		}
	}
	if err := p.printReport(r, f); err != nil {
		failed = append(failed, fmt.Errorf("print the figures: %w", err))
	}
	if len(failed) == 0 && len(r.Broken) == r.Videos {
		return fmt.Errorf("none of the %d videos could be read", r.Videos)
	}
	return errors.Join(failed...)
}

func (p Program) printReport(r *eval.Report, f evalFlags) error {
	if f.json == toOut {
		raw, err := figuresJSON(r)
		if err == nil {
			_, err = p.Out.Write(raw)
		}
		return err
	}
	most := worstClasses
	if f.perClass {
		most = 0
	}
	return r.Print(p.Out, eval.TableOptions{Classes: most})
}

func figuresJSON(r *eval.Report) ([]byte, error) {
	raw, err := json.MarshalIndent(r, "", "  ")
	return append(raw, '\n'), err
}

func confusionSVG(r *eval.Report) ([]byte, error) {
	var b bytes.Buffer
	err := r.WriteConfusion(&b)
	return b.Bytes(), err
}
