package eval

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// Lists are what a plan is read from: either Lists, for cross-dataset, or Base
// and Novel, of which each pair is a split. Of the class lists there is one for
// each list, or one for all of them, or none.
type Lists struct {
	Lists, Classes      []string
	Base, BaseClasses   []string
	Novel, NovelClasses []string
	Format, Root        string // as in Source
}

// Files returns the files of the lists and their classes, even those that do
// not exist. A folder stands for everything in it.
func (l Lists) Files() []string {
	out := slices.Concat(l.Classes, l.BaseClasses, l.NovelClasses)
	for _, path := range slices.Concat(l.Lists, l.Base, l.Novel) {
		file := listFile(path)
		out = append(out, file, besideList(path))
		for _, pattern := range []string{file, filepath.Join(file, "*")} {
			if found, err := matching(pattern); err == nil {
				out = append(out, found...)
			}
		}
	}
	return out
}

// besideList returns the class list next to a list for which none was given.
func besideList(path string) string {
	return filepath.Join(filepath.Dir(listFile(path)), "classes.txt")
}

// ReadPlan reads all lists.
func ReadPlan(l Lists) (Plan, error) {
	b2n := len(l.Base)+len(l.Novel) > 0
	switch {
	case b2n && len(l.Lists)+len(l.Classes) > 0:
		return Plan{}, errors.New("--list and --classes are for one class list, --base and --novel for two: give one of the two pairs")
	case b2n && len(l.Base) != len(l.Novel):
		return Plan{}, fmt.Errorf("%d --base and %d --novel: want as many of each, a pair for each split", len(l.Base), len(l.Novel))
	case !b2n && len(l.BaseClasses)+len(l.NovelClasses) > 0:
		return Plan{}, errors.New("--base-classes and --novel-classes belong to --base and --novel")
	case !b2n && len(l.Lists) == 0:
		return Plan{}, errors.New("nothing to evaluate: want --list, or --base and --novel")
	case !b2n:
		g, err := l.group("", "list", l.Lists, "classes", l.Classes)
		return Plan{CrossDataset, []Group{g}}, err
	}
	base, err := l.group("base", "base", l.Base, "base-classes", l.BaseClasses)
	if err != nil {
		return Plan{}, err
	}
	novel, err := l.group("novel", "novel", l.Novel, "novel-classes", l.NovelClasses)
	return Plan{BaseToNovel, []Group{base, novel}}, err
}

func (l Lists) group(name, listFlag string, lists []string, classFlag string, classes []string) (Group, error) {
	if n := len(classes); n > 1 && n != len(lists) {
		return Group{}, fmt.Errorf("%d --%s for %d --%s: want one for each, or one for all", n, classFlag, len(lists), listFlag)
	}
	g := Group{Name: name}
	for i, path := range lists {
		s := Source{Path: path, Format: l.Format, Root: l.Root}
		if len(classes) > 0 {
			s.Classes = classes[min(i, len(classes)-1)]
		}
		listing, err := ReadList(s)
		if err != nil {
			return Group{}, err
		}
		g.Splits = append(g.Splits, Split{splitName(path), listing})
	}
	return g, nil
}

// splitName names a list so that ucf101_split1/test.csv and
// ucf101_split2/test.csv have different names.
func splitName(path string) string {
	folder := filepath.Base(filepath.Dir(path))
	if folder == "." || folder == string(filepath.Separator) {
		return filepath.Base(path)
	}
	return filepath.Join(folder, filepath.Base(path))
}
