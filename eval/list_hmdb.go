package eval

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const hmdbPattern = "*_test_split*.txt"

var hmdbFile = regexp.MustCompile(`^(.+)_test_split([0-9]+)$`)

// hmdb reads ACTION_test_splitN.txt: one file, or those of a folder or pattern.
// A line is `clip.avi 2`, where 1 means training, 2 testing and 0 unused.
func hmdb(path string, _ classIndex) ([]entry, error) {
	name := listFile(path)
	use := strings.TrimPrefix(path[len(name):], "#")
	switch use {
	case "":
		use = "2"
	case "1", "2":
	default:
		return nil, fmt.Errorf("%s: after # want 1 for training or 2 for testing", path)
	}
	files, err := hmdbFiles(name)
	if err != nil {
		return nil, err
	}
	if err := oneSplit(files, path[len(name):]); err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	var out []entry
	for _, file := range files {
		entries, err := hmdbAction(file, use)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, nil
}

func hmdbAction(file, use string) ([]entry, error) {
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	action := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if m := hmdbFile.FindStringSubmatch(action); m != nil {
		action = m[1]
	}
	var out []entry
	for l := range textLines(text) {
		if at := strings.LastIndexByte(l.text, ' '); at > 0 && l.text[at+1:] == use {
			out = append(out, entry{action + "/" + strings.TrimSpace(l.text[:at]), action, fmt.Sprintf("%s:%d", file, l.number)})
		}
	}
	return out, nil
}

// hmdbFiles returns the files of a folder or pattern, or the one file.
func hmdbFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		name = filepath.Join(name, hmdbPattern)
	case err == nil:
		return []string{name}, nil
	}
	files, err := matching(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no such file", name)
	}
	return files, nil
}

// matching is filepath.Glob, except that the name of an existing folder is not
// a pattern, even if it has brackets in it.
func matching(pattern string) ([]string, error) {
	dir, base := filepath.Split(pattern)
	found, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		files, err := filepath.Glob(pattern)
		slices.Sort(files)
		return files, err
	}
	var files []string
	for _, f := range found {
		ok, err := filepath.Match(base, f.Name())
		if err != nil {
			return nil, err
		}
		if ok {
			files = append(files, dir+f.Name())
		}
	}
	return files, nil
}

// oneSplit returns an error if the files belong to several splits: a clip that
// is for training in one is a test clip in another. choice, the choice of
// clips, goes into the advice.
func oneSplit(files []string, choice string) error {
	splits := map[int]bool{}
	for _, file := range files {
		if m := hmdbFile.FindStringSubmatch(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))); m != nil {
			n, _ := strconv.Atoi(m[2]) // on overflow it is still a split of its own
			splits[n] = true
		}
	}
	if len(splits) < 2 {
		return nil
	}
	var names []string
	for _, n := range slices.Sorted(maps.Keys(splits)) {
		names = append(names, strconv.Itoa(n))
	}
	last := len(names) - 1
	give := filepath.Join(filepath.Dir(files[0]), "*_test_split"+names[0]+".txt") + choice
	return fmt.Errorf("holds splits %s and %s: give '%s'", strings.Join(names[:last], ", "), names[last], give)
}
