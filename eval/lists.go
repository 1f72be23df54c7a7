package eval

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The formats of lists.
const (
	Auto     = "auto"     // recognised by the file or folder itself
	List     = "list"     // `path label`, `path,label`, `path,frames,label`
	Kinetics = "kinetics" // the published CSV
	UCF      = "ucf"      // testlist01.txt: the class is the folder
	HMDB     = "hmdb"     // ACTION_test_splitN.txt, or a folder or pattern of them
	SSv2     = "ssv2"     // JSON of id and template
	Folders  = "folders"  // a folder of clips for each class
)

// Formats returns all formats, by name.
func Formats() []string { return []string{Auto, List, Kinetics, UCF, HMDB, SSv2, Folders} }

// Source says where a list of labelled videos is.
type Source struct {
	Path   string // a file or a folder; for hmdb also a pattern. PATH#1 means hmdb's clips for training
	Format string
	Root   string // the folder that the list's paths are relative to; empty: the list's folder
	// Classes is the class list; empty: classes.txt next to the list, or for
	// folders their names.
	Classes string
}

// Video is a file and the class that it is labelled with.
type Video struct {
	Path  string // absolute
	Label int
	Where string // the list and line that name it, for messages
}

// Listing is the content of a list.
type Listing struct {
	Videos  []Video
	Classes []Class
	// PassedOver counts the files in classes' folders whose suffix is not a
	// video's, by suffix.
	PassedOver map[string]int
}

// entry is a line of a list: a path as written, and the number or name of a
// class.
type entry struct{ path, label, where string }

// ReadList reads a list and its classes. A path that leads out of the root is
// an error. A missing file is not: that shows only when videos are read.
func ReadList(s Source) (Listing, error) {
	s, err := s.resolved()
	if err != nil {
		return Listing{}, fmt.Errorf("read list: %w", err)
	}
	read := listed
	if s.Format == Folders {
		read, s.Root = folders, s.Path
	}
	out, entries, err := read(s)
	switch {
	case err != nil:
	case len(entries) == 0:
		err = fmt.Errorf("%s: %w", s.Path, errNoClip)
	case len(out.Classes) == 1:
		err = fmt.Errorf("%s: there is one class, %.80q: want two or more, as a single one is always right", s.Path, out.Classes[0].name())
	}
	if err != nil {
		return Listing{}, fmt.Errorf("read list: %w", err)
	}
	if out.Videos, err = videosOf(entries, out.Classes, s); err != nil {
		return Listing{}, fmt.Errorf("read list: %w", err)
	}
	return out, nil
}

// resolved fills in the format, and the list's file if the path is an export's
// folder.
func (s Source) resolved() (Source, error) {
	if s.Format != "" && s.Format != Auto {
		return s, nil
	}
	list, err := exported(s.Path)
	if err != nil {
		return s, err
	}
	if list != "" {
		s.Path = list
	}
	s.Format, err = guess(s.Path)
	return s, err
}

// exported returns the list to measure with, if dir was made by `frostwatch
// export clips`, and "" otherwise.
func exported(dir string) (string, error) {
	there := func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	}
	val, train := filepath.Join(dir, "val.txt"), filepath.Join(dir, "train.txt")
	switch {
	case !there("classes.txt"):
		return "", nil
	case there("val.txt"):
		return val, nil
	case there("train.txt"):
		return "", fmt.Errorf("%s: there is no val.txt, which lists the clips for measuring; to measure with the training clips, give %s", dir, train)
	}
	return "", nil
}

// videosOf looks up the files and classes of entries.
func videosOf(entries []entry, classes []Class, s Source) ([]Video, error) {
	root := s.Root
	if root == "" {
		root = filepath.Dir(listFile(s.Path))
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	index := indexClasses(classes)
	var out []Video
	for _, e := range entries {
		path, err := inside(root, e.path)
		var label int
		if err == nil {
			label, err = index.number(e.label)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.where, err)
		}
		out = append(out, Video{path, label, e.where})
	}
	return out, nil
}

// listFile is the path without hmdb's #choice of clips.
func listFile(path string) string {
	if _, err := os.Stat(path); err == nil {
		return path
	}
	at := strings.LastIndexByte(path, '#')
	if at < 0 || strings.ContainsRune(path[at:], filepath.Separator) {
		return path
	}
	return path[:at]
}

func listed(s Source) (Listing, []entry, error) {
	readers := map[string]func(string, classIndex) ([]entry, error){
		List: pathLabel, Kinetics: kinetics, UCF: ucf, HMDB: hmdb, SSv2: ssv2,
	}
	read, ok := readers[s.Format]
	if !ok {
		return Listing{}, nil, fmt.Errorf("%s: format %q: want %s", s.Path, s.Format, strings.Join(Formats(), ", "))
	}
	if s.Classes == "" {
		s.Classes = besideList(s.Path)
	}
	classes, err := ReadClasses(s.Classes)
	if err != nil {
		return Listing{}, nil, err
	}
	entries, err := read(s.Path, indexClasses(classes))
	return Listing{Classes: classes}, entries, err
}

var ucfName = regexp.MustCompile(`(?i)^(train|test)list\d*\.txt$`)

// guess recognises a list's format by the file or folder itself.
func guess(path string) (string, error) {
	name := listFile(path)
	if strings.Contains(filepath.Base(name), "_test_split") {
		return HMDB, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		if found, err := matching(filepath.Join(name, hmdbPattern)); err == nil && len(found) > 0 {
			return HMDB, nil
		}
		return Folders, nil
	case strings.EqualFold(filepath.Ext(name), ".json"):
		return SSv2, nil
	case ucfName.MatchString(filepath.Base(name)):
		return UCF, nil
	}
	text, err := readText(name)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(text, "\n")
	if strings.Contains(first, "youtube_id") {
		return Kinetics, nil
	}
	return List, nil
}

// inside returns the file below root that a list's path names. The path may go
// up and down again but must not leave root; links are not resolved.
func inside(root, path string) (string, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return "", errors.New("no path")
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(root, path)
	}
	full = filepath.Clean(full)
	if rel, err := filepath.Rel(root, full); err != nil || !filepath.IsLocal(rel) || rel == "." {
		return "", fmt.Errorf("%.200q leads out of %s: name the folder of the videos with --root", path, root)
	}
	return full, nil
}
