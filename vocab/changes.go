package vocab

import (
	"slices"
	"strings"
)

// Change is what an edit did to a label.
type Change struct {
	Label string
	What  string // Added, Changed, Removed or Skipped
	Why   string // why the label is skipped; empty otherwise
}

// What an edit can do to a label.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
	Skipped = "skipped" // the label exists but can't be used
)

// Changes lists how after differs from before, sorted by label. A label that can
// no longer be used counts as skipped, not as removed.
func Changes(before, after Vocabulary) []Change {
	skipped := map[string]string{}
	for _, p := range after.Problems {
		skipped[strings.TrimSpace(p.Label)] = p.Err.Error()
	}
	known := map[string]bool{}
	for _, p := range before.Problems {
		known[p.String()] = true
	}
	out := slices.DeleteFunc(labelChanges(before.Labels, after.Labels), func(c Change) bool {
		_, isSkipped := skipped[c.Label]
		return c.What == Removed && isSkipped
	})
	for _, p := range after.Problems {
		if !known[p.String()] {
			out = append(out, Change{strings.TrimSpace(p.Label), Skipped, p.Err.Error()})
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Label, b.Label) })
	return out
}

// labelChanges compares two lists, both sorted by name.
func labelChanges(before, after []Label) []Change {
	var out []Change
	for len(before) > 0 || len(after) > 0 {
		switch order := first(before, after); {
		case order < 0:
			out = append(out, Change{Label: before[0].Name, What: Removed})
			before = before[1:]
		case order > 0:
			out = append(out, Change{Label: after[0].Name, What: Added})
			after = after[1:]
		default:
			if !before[0].equals(after[0]) {
				out = append(out, Change{Label: after[0].Name, What: Changed})
			}
			before, after = before[1:], after[1:]
		}
	}
	return out
}

// first compares the first labels of two lists by name, as strings.Compare does;
// an empty list comes last. Below zero, the label is only in before; above zero,
// only in after.
func first(before, after []Label) int {
	switch {
	case len(before) == 0:
		return 1
	case len(after) == 0:
		return -1
	}
	return strings.Compare(before[0].Name, after[0].Name)
}

// equals compares all fields, without reflection: every edit compares every
// label.
func (l Label) equals(o Label) bool {
	return l.Name == o.Name && l.Description == o.Description && l.Background == o.Background && l.Threshold == o.Threshold &&
		l.Begins == o.Begins && l.Ends == o.Ends && slices.Equal(l.Aliases, o.Aliases) && slices.Equal(l.Tags, o.Tags)
}
