package vocab

import (
	"slices"
	"strings"
)

// Change is what an edit did to a label.
type Change struct {
	Label string
	What  string // Added, Changed or Removed
}

// What an edit can do to a label.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
)

// Changes lists what makes after of before, by name. Both are by name, as a
// Vocabulary's labels are.
func Changes(before, after []Label) []Change {
	var out []Change
	for len(before) > 0 || len(after) > 0 {
		switch order := first(before, after); {
		case order < 0:
			out = append(out, Change{before[0].Name, Removed})
			before = before[1:]
		case order > 0:
			out = append(out, Change{after[0].Name, Added})
			after = after[1:]
		default:
			if !before[0].equals(after[0]) {
				out = append(out, Change{after[0].Name, Changed})
			}
			before, after = before[1:], after[1:]
		}
	}
	return out
}

// first is below zero when the next label is one of before alone, above when it
// is one of after alone.
func first(before, after []Label) int {
	switch {
	case len(before) == 0:
		return 1
	case len(after) == 0:
		return -1
	}
	return strings.Compare(before[0].Name, after[0].Name)
}

// equals compares all fields; it is asked of each label at each edit.
func (l Label) equals(o Label) bool {
	return l.Name == o.Name && l.Description == o.Description && l.Background == o.Background && l.Threshold == o.Threshold &&
		l.Begins == o.Begins && l.Ends == o.Ends && slices.Equal(l.Aliases, o.Aliases) && slices.Equal(l.Tags, o.Tags)
}
