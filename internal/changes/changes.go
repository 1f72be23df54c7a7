// Package changes compares two lists of named things, such as the rules of a
// configuration file before and after an edit.
package changes

import (
	"fmt"
	"reflect"
)

// Names are those of what was added, changed and removed.
type Names struct{ Added, Changed, Removed []string }

// Between is how a list differs from the one before it. of returns a thing's name, which
// is unique in each list, and what is compared of it.
func Between[T any](before, now []T, of func(T) (name string, value any)) (c Names) {
	old := make(map[string]any, len(before))
	for _, one := range before {
		name, value := of(one)
		old[name] = value
	}
	for _, one := range now {
		name, value := of(one)
		switch was, there := old[name]; {
		case !there:
			c.Added = append(c.Added, name)
		case !reflect.DeepEqual(was, value):
			c.Changed = append(c.Changed, name)
		}
		delete(old, name)
	}
	for _, one := range before {
		name, _ := of(one)
		if _, left := old[name]; left {
			c.Removed = append(c.Removed, name)
		}
	}
	return c
}

// maxLines bounds the lines of what was added, of what was changed and of what was removed: a
// program may edit a thousand at once.
const maxLines = 20

// Lines describe the changes, a line for each of the first: "rule fall added".
func (c Names) Lines(kind string) (lines []string) {
	for _, of := range []struct {
		names []string
		what  string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Removed, "removed"}} {
		for _, name := range of.names[:min(maxLines, len(of.names))] {
			lines = append(lines, kind+" "+name+" "+of.what)
		}
		if more := len(of.names) - maxLines; more > 0 {
			lines = append(lines, fmt.Sprintf("%d more %ss %s", more, kind, of.what))
		}
	}
	return lines
}
