package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/internal/lock"
)

// The names in a set. The description is written last: if it is there, the set
// is complete.
const (
	clipsFolder = "clips"
	trainFile   = "train.txt"
	valFile     = "val.txt"
	classesFile = "classes.txt"
	setFile     = "set.json"
	// partFolder holds a set that is not complete yet.
	partFolder = ".export-part"
)

// folder is where a set is written. Its files are gathered in a folder inside
// it and moved to their place at the end. Whatever names are passed in, nothing
// outside the folder can be reached.
type folder struct {
	path    string
	root    *os.Root
	lock    *os.File        // the folder itself, locked
	made    bool            // whether we created the folder
	ours    map[string]bool // clip files of the earlier set, as its lists name them
	replace bool
	whole   bool
}

// openFolder opens an empty or absent folder, or, if replace is set, one with
// an earlier set.
func openFolder(dir string, replace bool) (*folder, error) {
	if dir == "" {
		return nil, errors.New("out: want a folder")
	}
	_, err := os.Stat(dir)
	f := &folder{path: dir, made: errors.Is(err, fs.ErrNotExist), replace: replace}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the set's folder: %w", err)
	}
	if f.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("open the set's folder: %w", err)
	}
	if err := f.hold(); err != nil {
		return nil, errors.Join(err, f.root.Close())
	}
	if err := f.start(); err != nil {
		return nil, errors.Join(err, f.lock.Close(), f.root.Close())
	}
	return f, nil
}

// hold locks out other exports until the folder is closed.
func (f *folder) hold() (err error) {
	if f.lock, err = f.root.Open("."); err != nil {
		return fmt.Errorf("open the set's folder: %w", err)
	}
	switch err = lock.Take(f.lock); {
	case err == nil:
		return nil
	case errors.Is(err, lock.ErrHeld):
		err = fmt.Errorf("another export is writing in %s: wait for it, or choose another folder", f.path)
	default:
		err = fmt.Errorf("lock the set's folder %s: %w", f.path, err)
	}
	return errors.Join(err, f.lock.Close())
}

func (f *folder) start() error {
	if err := f.vacant(); err != nil {
		return err
	}
	if err := f.root.RemoveAll(partFolder); err != nil {
		return fmt.Errorf("clear the set's folder: %w", err)
	}
	if err := f.root.Mkdir(partFolder, 0o755); err != nil {
		return fmt.Errorf("make the set's folder: %w", err)
	}
	return nil
}

// vacant returns an error if the folder holds anything but an earlier export,
// or if it holds one that may not be replaced.
func (f *folder) vacant() error {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("look into the set's folder: %w", err)
	}
	ours := false
	for _, e := range entries {
		if !slices.Contains([]string{clipsFolder, trainFile, valFile, classesFile, setFile, partFolder}, e.Name()) {
			return fmt.Errorf("%s is not empty: %q in it is not part of a set; choose another folder", f.path, e.Name())
		}
		ours = ours || e.Name() == setFile || e.Name() == partFolder
	}
	switch {
	case len(entries) == 0:
		return nil
	case !ours:
		return fmt.Errorf("%s is not empty, and its files are not from an export: there is no %s", f.path, setFile)
	case !f.replace:
		return fmt.Errorf("%s is not empty: an earlier export is in it; --force replaces it", f.path)
	}
	if !f.hasClips() {
		return nil
	}
	if f.ours, err = f.named(); err != nil {
		return err
	}
	return f.onlyOurs()
}

// hasClips reports whether the folder has a folder of clips. A link of that
// name does not count; it would itself be removed, not what it points to.
func (f *folder) hasClips() bool {
	info, err := f.root.Lstat(clipsFolder)
	return err == nil && info.IsDir()
}

// onlyOurs returns an error if there are files among the clips that the earlier
// set's lists don't name.
func (f *folder) onlyOurs() error {
	return fs.WalkDir(f.root.FS(), clipsFolder, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("look into the set's folder: %w", err)
		case e.IsDir() || f.ours[name]:
			return nil
		}
		return fmt.Errorf("%s is not part of the earlier set, whose lists don't name it: move it away, or choose another folder", filepath.Join(f.path, name))
	})
}

// named returns the clips in the earlier set's lists. If its export was
// interrupted while it moved files, some lists are still in the part folder.
func (f *folder) named() (map[string]bool, error) {
	names := map[string]bool{}
	for _, list := range []string{trainFile, valFile} {
		for _, file := range []string{list, path.Join(partFolder, list)} {
			text, err := f.root.ReadFile(file)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read the earlier set's lists: %w", err)
			}
			for line := range strings.Lines(string(text)) {
				name, _, _ := strings.Cut(line, " ")
				names[name] = true
			}
		}
	}
	return names, nil
}

// write creates a new file of the set; the error is fs.ErrExist if there
// already is one.
func (f *folder) write(name string, data []byte) error {
	name = path.Join(partFolder, name)
	if err := f.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("write the set: %w", err)
	}
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the set: %w", err)
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the set: %w", err)
	}
	return nil
}

func (f *folder) remove(name string) error {
	if err := f.root.Remove(path.Join(partFolder, name)); err != nil {
		return fmt.Errorf("leave a clip out of the set: %w", err)
	}
	return nil
}

// commit moves the set to its place. At every moment either the description or
// the part folder is there, so that a later run can tell whose files these are.
func (f *folder) commit() error {
	if f.hasClips() {
		if err := f.onlyOurs(); err != nil { // files may have been added meanwhile
			return err
		}
	}
	parts := []string{clipsFolder, trainFile, valFile, classesFile, setFile}
	for _, name := range parts {
		if err := f.root.RemoveAll(name); err != nil {
			return fmt.Errorf("replace the earlier set: %w", err)
		}
	}
	for _, name := range parts {
		err := f.root.Rename(path.Join(partFolder, name), name)
		if name == valFile && errors.Is(err, fs.ErrNotExist) {
			continue // no clip is kept for validation
		}
		if err != nil {
			return fmt.Errorf("move the set to its place: %w", err)
		}
	}
	f.whole = true
	return nil
}

// close removes what is not complete.
func (f *folder) close() error {
	err := f.root.RemoveAll(partFolder)
	err = errors.Join(err, f.lock.Close(), f.root.Close())
	if f.made && !f.whole {
		_ = os.Remove(f.path) // succeeds only if it is empty
	}
	if err != nil {
		return fmt.Errorf("tidy the set's folder: %w", err)
	}
	return nil
}
