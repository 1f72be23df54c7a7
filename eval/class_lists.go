package eval

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxClasses   = 10_000
	maxClassText = 4096 // bytes, of all its wordings together
)

var (
	// wordingMark separates several wordings of one class in a class list.
	wordingMark = regexp.MustCompile(`(?:^|\s)\|(?:\s|$)`)
	// jsonStart needs more than a bracket, because a list of lines may begin
	// with one too, as Something-Something's templates do.
	jsonStart    = regexp.MustCompile(`^\s*(?:\{|\[\s*["{\[])`)
	numberedLine = regexp.MustCompile(`^([0-9]{1,9})([ \t]*,[ \t]*|[ \t]+)(.*)$`)
	runTogether  = regexp.MustCompile(`([a-z])([A-Z])`)
)

// ReadClasses reads a class list: one class on each line, in order. The lines
// may be numbered, as in UCF101's classInd.txt and Kinetics' CSV. Or it is
// JSON: FROSTER's {"0": "text"} or SSv2's {"text": "0"}. Where there is no such file,
// the name of a list of BuiltIn stands for it.
func ReadClasses(path string) ([]Class, error) {
	text, err := readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		if names, none := BuiltInClasses(path); none == nil {
			return splitClasses(names)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	read := lineClasses
	if strings.EqualFold(filepath.Ext(path), ".json") || jsonStart.MatchString(text) {
		read = jsonClasses
	}
	texts, err := read(text)
	if err != nil {
		return nil, fmt.Errorf("read classes %s: %w", path, err)
	}
	classes, err := splitClasses(texts)
	if err != nil {
		return nil, fmt.Errorf("read classes %s: %w", path, err)
	}
	return classes, nil
}

func splitClasses(texts []string) ([]Class, error) {
	if len(texts) == 0 {
		return nil, errors.New("it lists no class")
	}
	if len(texts) > maxClasses {
		return nil, fmt.Errorf("%d classes: want at most %d", len(texts), maxClasses)
	}
	classes, taken := make([]Class, len(texts)), map[string]int{}
	for i, text := range texts {
		if len(text) > maxClassText {
			return nil, fmt.Errorf("class %d has %d bytes: want at most %d", i, len(text), maxClassText)
		}
		for _, wording := range wordingMark.Split(text, -1) {
			if wording = strings.TrimSpace(wording); wording == "" {
				continue
			}
			classes[i] = append(classes[i], wording)
			// The tokenizer ignores capitals and the amount of white space.
			seen := strings.Join(strings.Fields(strings.ToLower(wording)), " ")
			if at, ok := taken[seen]; ok && at != i {
				return nil, fmt.Errorf("classes %d and %d are both %q", at, i, wording)
			}
			taken[seen] = i
		}
		if len(classes[i]) == 0 {
			return nil, fmt.Errorf("class %d has no text", i)
		}
	}
	return classes, nil
}

// lineClasses reads one class from each line. If every line begins with a
// number, with or without a header above, the number isn't part of the text.
func lineClasses(text string) ([]string, error) {
	lines := slices.Collect(textLines(text))
	rows, numbered := classRows(lines)
	if !numbered && len(lines) > 2 && strings.ContainsAny(lines[0].text, ",\t") { // a header
		rows, numbered = classRows(lines[1:])
		numbered = numbered && !slices.ContainsFunc(rows, func(r classRow) bool { return r.mark == "" })
	}
	if numbered {
		return rowTexts(rows)
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out, nil
}

// classRow is a line of a numbered class list.
type classRow struct {
	line, number int
	mark, text   string // mark is what follows the number, without spaces
}

// classRows returns the numbered lines; ok says that there are lines and all
// have a number.
func classRows(lines []line) (rows []classRow, ok bool) {
	for _, l := range lines {
		m := numberedLine.FindStringSubmatch(l.text)
		if m == nil {
			return nil, false
		}
		number, _ := strconv.Atoi(m[1]) // of nine digits at most
		rows = append(rows, classRow{l.number, number, strings.Trim(m[2], " "), m[3]})
	}
	return rows, len(rows) > 0
}

// rowTexts returns the texts of classes that are numbered from 0 or 1 in order.
// Other numberings are an error: the classes would be shifted.
func rowTexts(rows []classRow) ([]string, error) {
	first := min(rows[0].number, 1)
	var out []string
	for i, r := range rows {
		if r.number != first+i {
			return nil, fmt.Errorf("line %d begins with %d: want the lines numbered from 0 or 1 in order; texts that begin with a number themselves can be given as JSON", r.line, r.number)
		}
		if quoted := len(r.text) > 1 && strings.HasPrefix(r.text, `"`) && strings.HasSuffix(r.text, `"`); quoted && strings.Contains(r.mark, ",") {
			r.text = strings.ReplaceAll(r.text[1:len(r.text)-1], `""`, `"`)
		}
		out = append(out, r.text)
	}
	if first == 1 && !slices.ContainsFunc(rows, func(r classRow) bool { return strings.Contains(r.mark, ",") || strings.ContainsAny(r.text, " \t") }) {
		for i, text := range out { // as in UCF101's names, whose words are written together
			out[i] = runTogether.ReplaceAllString(text, "$1 $2")
		}
	}
	return out, nil
}

func jsonClasses(text string) ([]string, error) {
	var table map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &table); err != nil {
		return nil, fmt.Errorf("want a JSON object of numbers and texts: %w", err)
	}
	numbered := true
	for key := range table {
		numbered = numbered && isNumber(key)
	}
	out, have := make([]string, len(table)), make([]bool, len(table))
	for key, raw := range table {
		number, text := key, ""
		err := json.Unmarshal(raw, &text)
		if !numbered {
			number, text = text, key
			if err != nil { // a number without quotes
				number, err = string(raw), nil
			}
		}
		n, badNumber := strconv.Atoi(number)
		if err := cmp.Or(err, badNumber); err != nil {
			return nil, fmt.Errorf("%.80q: want a number and a text: %w", key, err)
		}
		if n < 0 || n >= len(out) || have[n] {
			return nil, fmt.Errorf("%.80q: the %d classes are not numbered from 0 without gaps", key, len(out))
		}
		out[n], have[n] = text, true
	}
	return out, nil
}
