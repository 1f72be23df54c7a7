package eval

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// videoSuffixes are the suffixes of files that media.OpenFile opens.
func videoSuffixes() []string {
	return []string{
		".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".flv", ".f4v", ".wmv", ".asf", ".ogv", ".ogg",
		".mpg", ".mpeg", ".m1v", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".h264", ".264", ".hevc", ".h265", ".265",
		".mxf", ".gxf", ".dv", ".nut", ".ivf", ".gif", ".m2t", ".dav", ".y4m", ".rm", ".rmvb", ".wtv", ".nsv", ".nuv", ".obu", ".vc1",
		".h261", ".h263",
	}
}

// folders reads root/label/clip.mp4. Without a class list, each folder that has
// clips is a class.
func folders(s Source) (Listing, []entry, error) {
	found, err := os.ReadDir(s.Path)
	if err != nil {
		return Listing{}, nil, err
	}
	w := folderWalk{root: s.Path, passed: map[string]int{}}
	var texts []string
	for _, d := range found {
		before := len(w.entries)
		label := d.Name()
		if s.Classes == "" {
			label = strconv.Itoa(len(texts)) // by its index, because the folder's name may itself be a number
		}
		if err := w.class(d.Name(), label); err != nil {
			return Listing{}, nil, err
		}
		if len(w.entries) > before && !utf8.ValidString(d.Name()) {
			return Listing{}, nil, fmt.Errorf("%s: the name of the folder %q is not UTF-8, so it can't be the text of a class: rename it", s.Path, d.Name())
		}
		if len(w.entries) > before {
			texts = append(texts, strings.ReplaceAll(d.Name(), "_", " "))
		}
	}
	out := Listing{PassedOver: w.passed}
	switch {
	case s.Classes != "":
		out.Classes, err = ReadClasses(s.Classes)
	case len(texts) == 0:
		err = fmt.Errorf("%s: there is no folder with clips in it", s.Path)
	default:
		out.Classes, err = splitClasses(texts)
	}
	return out, w.entries, err
}

// folderWalk gathers the clips of the classes' folders. Links are followed, as
// are links in the paths of a list.
type folderWalk struct {
	root    string
	entries []entry
	passed  map[string]int // number of files whose suffix is not a video's, by suffix
}

// class adds what is below a folder of the root. A plain file is not a class
// and is ignored.
func (w *folderWalk) class(name, label string) error {
	root, err := os.Stat(w.root)
	if err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(w.root, name))
	if err != nil || !info.IsDir() || os.SameFile(root, info) || hidden(name) {
		return nil //nolint:nilerr // a broken link is not a folder
	}
	return w.walk(name, label, []os.FileInfo{root, info})
}

// walk adds what is below a folder. within are the folders that it is in,
// itself included, so that a link back to one of them is recognised.
func (w *folderWalk) walk(dir, label string, within []os.FileInfo) error {
	found, err := os.ReadDir(filepath.Join(w.root, dir))
	if err != nil {
		return err
	}
	for _, f := range found {
		path := filepath.Join(dir, f.Name())
		info, err := os.Stat(filepath.Join(w.root, path))
		if err != nil || !info.IsDir() { // a broken link is reported as a broken video
			w.file(path, label)
			continue
		}
		if hidden(f.Name()) || slices.ContainsFunc(within, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
			continue
		}
		if err := w.walk(path, label, append(slices.Clip(within), info)); err != nil {
			return err
		}
	}
	return nil
}

func (w *folderWalk) file(path, label string) {
	if strings.HasPrefix(filepath.Base(path), ".") {
		return
	}
	suffix := strings.ToLower(filepath.Ext(path))
	if !slices.Contains(videoSuffixes(), suffix) {
		w.passed[suffix]++
		return
	}
	w.entries = append(w.entries, entry{path, label, filepath.Join(w.root, path)})
}

// hidden reports whether a folder was not made for a class: a recycle bin, or
// what a NAS keeps beside files, such as @eaDir.
func hidden(folder string) bool {
	return strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "@")
}
