package eval

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Formats of lists.
const (
	Auto     = "auto"     // told by what lies there
	List     = "list"     // `path label`, `path,label`, `path,frames,label`
	Kinetics = "kinetics" // the published CSV
	UCF      = "ucf"      // testlist01.txt: the class is the folder
	HMDB     = "hmdb"     // ACTION_test_splitN.txt, or a folder or pattern of them
	SSv2     = "ssv2"     // JSON of id and template
	Folders  = "folders"  // a folder of clips for each class
)

// Formats are all of them, by name.
func Formats() []string { return []string{Auto, List, Kinetics, UCF, HMDB, SSv2, Folders} }

// Source says where a list of labelled videos lies.
type Source struct {
	Path   string // a file; a folder; of hmdb also a pattern. PATH#1 are hmdb's clips for training
	Format string
	Root   string // what the list's paths are below; empty: the list's folder
	// Classes is the class list; empty: classes.txt beside the list, or for
	// folders their names.
	Classes string
}

// Video is a file and the class that it is labelled as.
type Video struct {
	Path  string // absolute
	Label int
	Where string // in which line of what
}

// Listing is what a list says.
type Listing struct {
	Videos  []Video
	Classes []Class
}

// entry is a line of a list: a path as written, and a class' number or name.
type entry struct{ path, label, where string }

// ReadList reads a list and its classes. Whether the files are there shows when
// they are read; a path that leads out of the root is an error.
func ReadList(s Source) (Listing, error) {
	if s.Format == "" || s.Format == Auto {
		format, err := guess(s.Path)
		if err != nil {
			return Listing{}, fmt.Errorf("read list: %w", err)
		}
		s.Format = format
	}
	var out Listing
	var entries []entry
	var err error
	if s.Format == Folders {
		out.Classes, entries, err = folders(s)
		s.Root = s.Path
	} else {
		out.Classes, entries, err = listed(s)
	}
	if err == nil && len(entries) == 0 {
		err = fmt.Errorf("%s: %w", s.Path, errNoClip)
	}
	if err != nil {
		return Listing{}, fmt.Errorf("read list: %w", err)
	}
	root := s.Root
	if root == "" {
		root = filepath.Dir(listFile(s.Path))
	}
	if root, err = filepath.Abs(root); err != nil {
		return Listing{}, fmt.Errorf("read list: %w", err)
	}
	index := indexClasses(out.Classes)
	for _, e := range entries {
		path, err := inside(root, e.path)
		var label int
		if err == nil {
			label, err = index.number(e.label)
		}
		if err != nil {
			return Listing{}, fmt.Errorf("read list: %s: %w", e.where, err)
		}
		out.Videos = append(out.Videos, Video{path, label, e.where})
	}
	return out, nil
}

// listFile is the path without hmdb's choice of clips.
func listFile(path string) string {
	if _, err := os.Stat(path); err == nil {
		return path
	}
	name, _, _ := strings.Cut(path, "#")
	return name
}

func listed(s Source) ([]Class, []entry, error) {
	readers := map[string]func(string) ([]entry, error){
		List: pathLabel, Kinetics: kinetics, UCF: ucf, HMDB: hmdb, SSv2: ssv2,
	}
	read, ok := readers[s.Format]
	if !ok {
		return nil, nil, fmt.Errorf("%s: format %q: want %s", s.Path, s.Format, strings.Join(Formats(), ", "))
	}
	if s.Classes == "" {
		s.Classes = filepath.Join(filepath.Dir(listFile(s.Path)), "classes.txt")
	}
	classes, err := ReadClasses(s.Classes)
	if err != nil {
		return nil, nil, err
	}
	entries, err := read(s.Path)
	return classes, entries, err
}

var ucfName = regexp.MustCompile(`(?i)^(train|test)list\d*\.txt$`)

// guess tells a list's format by what lies there.
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
		if found, err := filepath.Glob(filepath.Join(name, "*_test_split*.txt")); err == nil && len(found) > 0 {
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

// inside is the file below root that a list's path names. Going up and down
// again is allowed, leading elsewhere is not; links are not looked through.
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
		return "", fmt.Errorf("%.200q leads out of %s: --root says where videos may lie", path, root)
	}
	return full, nil
}
