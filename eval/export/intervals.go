package export

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Interval says that a label could be seen on a camera for some time.
type Interval struct {
	Camera     string // glob
	Start, End time.Time
	Label      string
	Line       int // in the file, counted from 1
}

// Intervals are the lines of one file.
type Intervals struct {
	File   string // its name in messages
	SHA256 string // of its bytes, hex
	List   []Interval
}

// Labels returns the distinct labels in alphabetical order.
func (in *Intervals) Labels() []string {
	var all []string
	for _, i := range in.List {
		all = append(all, i.Label)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Limits of a file of intervals.
const (
	maxTable     = 64 << 20
	maxIntervals = 200_000
	maxLabel     = 300 // bytes; the text tower reads at most 77 tokens
)

// ReadIntervals reads CSV whose first line names the columns camera, start, end
// and label, in any order; other columns are ignored. A line that can't be used
// is an error that names the file and the line.
func ReadIntervals(file string, r io.Reader) (*Intervals, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(raw) > maxTable {
		return nil, fmt.Errorf("read %s: want at most %d bytes", file, maxTable)
	}
	sum := sha256.Sum256(raw)
	t := table{csv: csv.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff")))))}
	t.csv.TrimLeadingSpace, t.csv.ReuseRecord = true, true
	in := &Intervals{File: file, SHA256: hex.EncodeToString(sum[:])}
	if in.List, err = t.read(); err != nil {
		return nil, t.located(file, err)
	}
	return in, nil
}

// table is a CSV file being read.
type table struct {
	csv    *csv.Reader
	line   int
	column map[string]int
}

// spelling is how a label was first written, and on which line.
type spelling struct {
	label string
	line  int
}

func (t *table) read() ([]Interval, error) {
	if err := t.header(); err != nil {
		return nil, err
	}
	var list []Interval
	spellings := map[string]spelling{}
	for {
		row, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		i, err := t.interval(row)
		if err != nil {
			return nil, err
		}
		folded := fold(i.Label)
		if s, ok := spellings[folded]; ok && s.label != i.Label {
			return nil, fmt.Errorf("label %q differs from %q of line %d only in case or spaces", i.Label, s.label, s.line)
		} else if !ok {
			spellings[folded] = spelling{i.Label, i.Line}
		}
		if list = append(list, i); len(list) > maxIntervals {
			return nil, fmt.Errorf("more than %d intervals", maxIntervals)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it holds no interval")
	}
	return list, nil
}

func (t *table) next() ([]string, error) {
	row, err := t.csv.Read()
	if err == nil {
		t.line, _ = t.csv.FieldPos(0)
	}
	return row, err
}

func (t *table) header() error {
	const want = "want a first line that names the columns camera, start, end and label"
	t.line = 1
	row, err := t.next()
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty: " + want)
	}
	if err != nil {
		return err
	}
	t.column = map[string]int{}
	for i, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := t.column[name]; twice && name != "" {
			return fmt.Errorf("column %q comes twice", shorten(name))
		}
		t.column[name] = i
	}
	for _, name := range []string{"camera", "start", "end", "label"} {
		if _, ok := t.column[name]; !ok {
			return fmt.Errorf("no column %s: %s", name, want)
		}
	}
	return nil
}

func (t *table) interval(row []string) (Interval, error) {
	field := func(name string) string { return strings.Clone(strings.TrimSpace(row[t.column[name]])) }
	i := Interval{Camera: field("camera"), Label: field("label"), Line: t.line}
	if err := checkGlob(i.Camera); err != nil {
		return i, err
	}
	if err := checkLabel(i.Label); err != nil {
		return i, err
	}
	var err error
	if i.Start, err = ParseTime(field("start")); err != nil {
		return i, fmt.Errorf("start %w", err)
	}
	if i.End, err = ParseTime(field("end")); err != nil {
		return i, fmt.Errorf("end %w", err)
	}
	if !i.End.After(i.Start) {
		return i, fmt.Errorf("the end %s is not after the start %s", field("end"), field("start"))
	}
	return i, nil
}

// located puts file and line before an error. encoding/csv knows the line of
// its own errors.
func (t *table) located(file string, err error) error {
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s:%d: %w", file, syntax.Line, syntax.Err)
	}
	return fmt.Errorf("%s:%d: %w", file, t.line, err)
}

// checkLabel refuses what can't be a line of classes.txt.
func checkLabel(label string) error {
	switch {
	case label == "" || label != strings.TrimSpace(label):
		return fmt.Errorf("label %q: want words", shorten(label))
	case strings.Trim(label, "| ") == "":
		return fmt.Errorf("label %q: want words; | separates wordings", shorten(label))
	case len(label) > maxLabel:
		return fmt.Errorf("label %q: longer than %d bytes", shorten(label), maxLabel)
	case !utf8.ValidString(label):
		return fmt.Errorf("label %q: not UTF-8 text", label)
	case strings.ContainsFunc(label, breaksLine):
		return fmt.Errorf("label %q: want no line breaks or control characters", label)
	}
	return nil
}

func breaksLine(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

func fold(label string) string { return strings.ToLower(strings.Join(strings.Fields(label), " ")) }

// shorten keeps messages readable, whatever a file or a record contains.
func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func quoted(labels []string) string {
	const most = 20
	var b strings.Builder
	for i, l := range labels {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(labels)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", l)
	}
	return b.String()
}
