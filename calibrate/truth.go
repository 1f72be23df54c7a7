package calibrate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// WatchedLabel in place of a label says that somebody watched the camera for all of
// this time, and noted every case of the file's labels.
const WatchedLabel = "watched"

// Truth is what somebody saw who watched recordings: the cases of labels or rules, and
// which time of which camera was watched. What is raised in that time and matches no
// case is a false alarm.
type Truth struct {
	Rules    bool     // the names are those of rules, not of labels
	Names    []string // of labels or rules, as they were first written, in the file's order
	watched  map[string][]noted
	cases    map[string]map[string][]noted // by name and camera
	repeated map[string]int                // cases that overlapped another one, and were joined with it, by name
}

// noted is a row. Those of one camera and name are in order and don't overlap.
type noted struct {
	interval
	line int
}

// Cases is how many cases a label or rule has.
func (t *Truth) Cases(name string) (n int) {
	for _, of := range t.cases[name] {
		n += len(of)
	}
	return n
}

// Cameras are those that were watched.
func (t *Truth) Cameras() (names []string) {
	for name := range t.watched {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Bounds are from when to when cameras were watched.
func (t *Truth) Bounds() (since, until time.Time) {
	for _, rows := range t.watched {
		if first := rows[0].from; since.IsZero() || first.Before(since) {
			since = first
		}
		if last := rows[len(rows)-1].to; last.After(until) {
			until = last
		}
	}
	return since, until
}

// watch is which of the times that a camera was watched holds all of another one.
func (t *Truth) watch(camera string, from, to time.Time) (i int, ok bool) {
	rows := t.watched[camera]
	// The first that ends late enough is the only one that can hold it.
	i, _ = slices.BinarySearchFunc(rows, to, func(w noted, to time.Time) int { return w.to.Compare(to) })
	return i, i < len(rows) && !from.Before(rows[i].from)
}

// line is that of the first case of a label or rule.
func (t *Truth) line(name string) (line int) {
	for _, of := range t.cases[name] {
		for _, c := range of {
			if line == 0 || c.line < line {
				line = c.line
			}
		}
	}
	return line
}

// Mistake is what is wrong with a row of a truth file.
type Mistake struct {
	Line int
	Text string
}

// Mistakes are all that is wrong with a truth file, by line.
type Mistakes []Mistake

// shownMistakes is how many an error lists.
const shownMistakes = 20

// Error has a line for each mistake.
func (m Mistakes) Error() string {
	var b strings.Builder
	for i, one := range m {
		if i == shownMistakes {
			fmt.Fprintf(&b, "\nand %d more", len(m)-i)
			break
		}
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "line %d: %s", one.Line, topics.Clean(one.Text))
	}
	return b.String()
}

func (m *Mistakes) add(line int, format string, args ...any) {
	*m = append(*m, Mistake{line, fmt.Sprintf(format, args...)})
}

// err is nil if there are none.
func (m Mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	slices.SortStableFunc(m, func(a, b Mistake) int { return a.Line - b.Line })
	return m
}
