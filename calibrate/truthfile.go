package calibrate

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/frostwatch/frostwatch/vocab"
)

// Bounds of a truth file.
const (
	maxTruth     = 64 << 20 // bytes
	maxTruthRows = 100_000
	maxTruthName = 500 // bytes
	// longestCase bounds a case: a longer one is taken for a mistyped date.
	longestCase = 24 * time.Hour
)

const truthHeader = "camera,label,start,end, or rule in place of label"

// ReadTruth reads a truth file: CSV whose first line names the columns camera, label
// (or rule), start and end, in any order; other columns are ignored. A row whose label
// is WatchedLabel says which time of a camera was watched. Cases of one label on one
// camera that overlap are joined, as a rule can have one alert open. The error is
// Mistakes if rows are wrong.
func ReadTruth(from io.Reader) (*Truth, error) {
	bounded := &io.LimitedReader{R: from, N: maxTruth + 1}
	p := &truthReader{csv: csv.NewReader(bounded), spellings: map[string]string{}}
	p.csv.ReuseRecord, p.csv.FieldsPerRecord, p.csv.TrimLeadingSpace = true, -1, true
	p.truth = &Truth{watched: map[string][]noted{}, cases: map[string]map[string][]noted{}, repeated: map[string]int{}}
	fields, err := p.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("it is empty: want a first line that names the columns %s", truthHeader)
	case err != nil:
		return nil, fmt.Errorf("the first line is no CSV: %w", err)
	}
	if err := p.header(fields); err != nil {
		return nil, err
	}
	if err := p.rows(); err != nil {
		return nil, err
	}
	if bounded.N <= 0 {
		return nil, fmt.Errorf("it is larger than %d MB", maxTruth>>20)
	}
	return p.finish()
}

// truthReader reads one file.
type truthReader struct {
	csv      *csv.Reader
	truth    *Truth
	columns  struct{ camera, name, start, end, all int }
	mistakes Mistakes
	// spellings are the names by what all spellings of a label have in common.
	spellings map[string]string
}

func (p *truthReader) rows() error {
	for n := 0; ; n++ {
		fields, err := p.csv.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &broken):
			p.mistakes.add(broken.StartLine, "it is no CSV: %v", broken.Err)
		case err != nil:
			return err
		case n >= maxTruthRows:
			return fmt.Errorf("it has more than %d rows", maxTruthRows)
		default:
			line, _ := p.csv.FieldPos(0)
			p.row(line, fields)
		}
	}
}

// header finds the columns.
func (p *truthReader) header(fields []string) error {
	at := map[string]int{}
	for i, f := range fields {
		f = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(f, "\ufeff"))) // a byte order mark, as Excel writes it
		if _, twice := at[f]; twice && f != "" {
			return Mistakes{{1, fmt.Sprintf("column %.80q is named twice", f)}}
		}
		at[f] = i
	}
	_, label := at["label"]
	rule, isRule := at["rule"]
	if label && isRule {
		return Mistakes{{1, "want one of the columns label and rule, not both"}}
	}
	if isRule {
		at["label"] = rule
	}
	for _, name := range []string{"camera", "label", "start", "end"} {
		if _, has := at[name]; !has {
			return Mistakes{{1, fmt.Sprintf("no column %s: want a first line that names the columns %s, separated by commas", name, truthHeader)}}
		}
	}
	p.truth.Rules = isRule
	p.columns.camera, p.columns.name, p.columns.start, p.columns.end, p.columns.all = at["camera"], at["label"], at["start"], at["end"], len(fields)
	return nil
}

// oneCamera is a camera's name, as package topics has it, and no glob.
var oneCamera = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (p *truthReader) row(line int, fields []string) {
	if len(fields) != p.columns.all {
		p.mistakes.add(line, "it has %d columns, and the first line has %d", len(fields), p.columns.all)
		return
	}
	before := len(p.mistakes)
	camera, name := strings.TrimSpace(fields[p.columns.camera]), strings.Join(strings.Fields(fields[p.columns.name]), " ")
	if !oneCamera.MatchString(camera) {
		p.mistakes.add(line, "camera %.80q: want the name of one camera", camera)
	}
	if name == "" || len(name) > maxTruthName || !utf8.ValidString(name) {
		p.mistakes.add(line, "%s %.80q: want 1 to %d bytes of text, or %s for a time that somebody watched", p.what(), name, maxTruthName, WatchedLabel)
	}
	from, to := p.time(line, "start", fields[p.columns.start]), p.time(line, "end", fields[p.columns.end])
	if len(p.mistakes) > before {
		return
	}
	watched := strings.EqualFold(name, WatchedLabel)
	switch {
	case !from.Before(to):
		p.mistakes.add(line, "start %s is not before end %s", stamp(from), stamp(to))
	case !watched && to.Sub(from) > longestCase:
		p.mistakes.add(line, "it lasts for %s: want at most %s from start to end", to.Sub(from), longestCase)
	case watched:
		p.truth.watched[camera] = append(p.truth.watched[camera], noted{interval{from, to}, line})
	default:
		of := p.casesOf(name)
		of[camera] = append(of[camera], noted{interval{from, to}, line})
	}
}

func (p *truthReader) what() string {
	if p.truth.Rules {
		return "rule"
	}
	return "label"
}

func (p *truthReader) time(line int, column, text string) time.Time {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	switch {
	case err != nil:
		p.mistakes.add(line, "%s %.80q: want RFC 3339 with a time zone, such as 2026-03-01T14:03:20Z or 2026-03-01T15:03:20+01:00", column, text)
	case at.Year() < 1971 || at.Year() > 2200:
		p.mistakes.add(line, "%s %.80q: want a year from 1971 to 2200", column, text)
	}
	return at.UTC()
}

// casesOf are the cases of a label or rule, by camera.
func (p *truthReader) casesOf(name string) map[string][]noted {
	spelling := name
	if !p.truth.Rules {
		spelling = vocab.Spelling(name)
	}
	first, known := p.spellings[spelling]
	if !known {
		first = strings.Clone(name)
		p.spellings[spelling] = first
		p.truth.Names = append(p.truth.Names, first)
		p.truth.cases[first] = map[string][]noted{}
	}
	return p.truth.cases[first]
}

// finish joins what overlaps, and checks that all cases were watched.
func (p *truthReader) finish() (*Truth, error) {
	t := p.truth
	for camera, rows := range t.watched {
		t.watched[camera], _ = join(rows)
	}
	for name, of := range t.cases {
		for camera, rows := range of {
			joined, n := join(rows)
			of[camera], t.repeated[name] = joined, t.repeated[name]+n
			for _, row := range joined {
				p.checkWatched(camera, row)
			}
		}
	}
	if err := p.mistakes.err(); err != nil {
		return nil, err
	}
	if len(t.Names) == 0 {
		return nil, errors.New("it has no cases, but for the time that was watched")
	}
	return t, nil
}

func (p *truthReader) checkWatched(camera string, row noted) {
	_, watched := p.truth.watch(camera, row.from, row.to)
	switch {
	case len(p.truth.watched[camera]) == 0:
		p.mistakes.add(row.line, "no row says which time of camera %s was watched: add %s with the %s %s, since whatever is raised and has no row counts as a false alarm",
			camera, camera, p.what(), WatchedLabel)
	case !watched:
		p.mistakes.add(row.line, "%s to %s is not all in the time of camera %s that was watched", stamp(row.from), stamp(row.to), camera)
	}
}

// join puts rows in order and makes one of those that overlap or touch. repeated is
// how many are gone.
func join(rows []noted) (out []noted, repeated int) {
	slices.SortStableFunc(rows, func(a, b noted) int { return a.from.Compare(b.from) })
	for _, row := range rows {
		if n := len(out); n > 0 && !row.from.After(out[n-1].to) {
			if row.to.After(out[n-1].to) {
				out[n-1].to = row.to
			}
			repeated++
			continue
		}
		out = append(out, row)
	}
	return out, repeated
}

// stamp is a time as messages show it.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
