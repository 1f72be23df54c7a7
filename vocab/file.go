package vocab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxFile bounds a file of labels, in bytes: the largest vocabulary fits.
const maxFile = 128 << 20

// ReadLabels reads a file of labels: one per line, optionally followed by a tab
// and a value as in the hash; empty lines and lines that begin with # are skipped.
// Or it is JSON as WriteLabels writes it; objects with the key "skipped", which
// `vocab ls --json` prints for labels that can't be used, are passed over. The error
// lists every mistake with its line, or with the number of the object.
func ReadLabels(r io.Reader) ([]Label, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("more than %d MB", maxFile>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark, which some editors write
	read := readLines
	if json.Valid(text) && bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		read = readObjects
	}
	labels, err := read(text)
	if err != nil {
		return nil, err
	}
	return labels, clashes(labels)
}

// clashes names labels that are listed more than once, and differ: nobody can say
// which is meant.
func clashes(labels []Label) error {
	var problems []error
	listed := make(map[string]Label, len(labels))
	for _, l := range labels {
		other, twice := listed[Spelling(l.Name)]
		if !twice {
			listed[Spelling(l.Name)] = l
			continue
		}
		before, err := other.Value()
		now, err2 := l.Value()
		switch {
		case l.Name != other.Name:
			problems = append(problems, fmt.Errorf("label %q is listed a second time as %q: want one of them", other.Name, l.Name))
		case err != nil || err2 != nil || before != now:
			problems = append(problems, fmt.Errorf("label %q is listed twice with different values: want one of them", l.Name))
		}
	}
	return errors.Join(problems...)
}

func readLines(text []byte) ([]Label, error) {
	var labels []Label
	var problems []error
	scan := bufio.NewScanner(bytes.NewReader(text))
	for line := 1; scan.Scan(); line++ {
		text := strings.TrimRight(scan.Text(), "\r")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		field, value, _ := strings.Cut(text, "\t")
		if len(labels)+len(problems) == 0 && looksLikeJSON(field) {
			return nil, fmt.Errorf("line %d: this looks like JSON: want an array of objects as `vocab export` writes it, or one label a line, optionally followed by a tab and its value", line)
		}
		l, err := ParseLabel(field, value)
		if err == nil && strings.ContainsAny(l.Name[:1], `{}"`) {
			err = fmt.Errorf("a label that begins with %q: want its words without quotes or JSON", l.Name[:1])
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		labels = append(labels, l)
	}
	return labels, errors.Join(append(problems, scan.Err())...)
}

// looksLikeJSON reports whether a file whose first line this is may be JSON.
func looksLikeJSON(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "{") || strings.HasPrefix(line, "[")
}

// labelObject is a label in a file of JSON.
type labelObject struct {
	Name string `json:"label"`
	Label
}

// WriteLabels writes labels as a JSON array of objects, one on each line, which
// ReadLabels reads back.
func WriteLabels(w io.Writer, labels []Label) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	before := "[\n"
	for _, l := range labels {
		b.WriteString(before)
		if err := e.Encode(labelObject{l.Name, l}); err != nil {
			return fmt.Errorf("write label %q: %w", l.Name, err)
		}
		b.Truncate(b.Len() - 1) // the end of the line
		before = ",\n"
	}
	if len(labels) == 0 {
		b.WriteString("[")
	}
	b.WriteString("\n]\n")
	_, err := w.Write(b.Bytes())
	return err
}

// readObjects reads an array of objects.
func readObjects(text []byte) ([]Label, error) {
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		return nil, errors.New("this looks like JSON: want an array of objects as `vocab export` writes it, such as [{\"label\": \"person falling\"}]")
	}
	var labels []Label
	var problems []error
	for i, o := range objects {
		if _, skipped := o["skipped"]; skipped {
			continue
		}
		l, err := readObject(o)
		if err != nil {
			problems = append(problems, fmt.Errorf("object %d: %w", i+1, err))
			continue
		}
		labels = append(labels, l)
	}
	return labels, errors.Join(problems...)
}

func readObject(o map[string]json.RawMessage) (Label, error) {
	var name string
	if err := json.Unmarshal(o["label"], &name); err != nil {
		return Label{}, errors.New(`want a key "label" with a text`)
	}
	delete(o, "label")
	value, err := json.Marshal(o)
	if err != nil {
		return Label{}, err
	}
	l := Label{Name: name}
	if err := l.decode(string(value)); err != nil {
		return Label{}, fmt.Errorf("label %q: %w", name, err)
	}
	plain, err := l.Value()
	if err != nil {
		return Label{}, err // names the label
	}
	if l, err = ParseLabel(name, plain); err != nil {
		return Label{}, fmt.Errorf("label %q: %w", name, err)
	}
	return l, nil
}
