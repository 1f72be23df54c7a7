package eval

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/vocab"
)

// wordingMark stands between several wordings of one class in a class list.
const wordingMark = " | "

const (
	maxClasses   = 10_000
	maxClassText = 4096 // bytes, all wordings together
)

// Class is one of the classes that videos are told apart by: its wordings, each
// "label" or "label: description". The best of several counts.
type Class []string

// name is what lists call a class: its first wording up to a colon.
func (c Class) name() string {
	name, _, _ := strings.Cut(c[0], ":")
	return strings.TrimSpace(name)
}

// label is the class as the vocabulary scores it. The whole wording is the name,
// so that the model reads just that.
func (c Class) label() vocab.Label { return vocab.Label{Name: c[0], Aliases: c[1:]} }

// ReadClasses reads a class list: a line for each class, in order; UCF101's
// classInd.txt, "1 ApplyEyeMakeup"; or JSON, FROSTER's {"0": "text"} and SSv2's
// {"text": "0"}.
func ReadClasses(path string) ([]Class, error) {
	text, err := readText(path)
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	var texts []string
	if strings.EqualFold(filepath.Ext(path), ".json") {
		texts, err = jsonClasses(text)
	} else {
		texts = lineClasses(text)
	}
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
		return nil, errors.New("there is no class in it")
	}
	if len(texts) > maxClasses {
		return nil, fmt.Errorf("%d classes: at most %d", len(texts), maxClasses)
	}
	classes, places := make([]Class, len(texts)), map[string]int{}
	for i, text := range texts {
		if len(text) > maxClassText {
			return nil, fmt.Errorf("class %d is of %d bytes: at most %d", i, len(text), maxClassText)
		}
		for wording := range strings.SplitSeq(text, wordingMark) {
			if wording = strings.TrimSpace(wording); wording != "" {
				classes[i] = append(classes[i], wording)
			}
		}
		if len(classes[i]) == 0 {
			return nil, fmt.Errorf("class %d has no text", i)
		}
		if at, ok := places[classes[i][0]]; ok {
			return nil, fmt.Errorf("classes %d and %d are both %q", at, i, classes[i][0])
		}
		places[classes[i][0]] = i
	}
	return classes, nil
}

// lineClasses are one a line. Where every line begins with its own number, from
// 1, that isn't part of the text.
func lineClasses(text string) []string {
	var out, bare []string
	for line := range textLines(text) {
		out = append(out, line.text)
		number, rest, ok := strings.Cut(line.text, " ")
		if ok && len(bare) == len(out)-1 && number == strconv.Itoa(len(out)) {
			bare = append(bare, strings.TrimSpace(rest))
		}
	}
	if len(bare) == len(out) {
		return bare
	}
	return out
}

func jsonClasses(text string) ([]string, error) {
	var table map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &table); err != nil {
		return nil, fmt.Errorf("want an object of numbers and texts: %w", err)
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

// fold makes names alike that are spelt or spaced differently.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, text)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// classIndex finds classes by what lists call them.
type classIndex struct {
	count  int
	byName map[string]int // -1 where several are called so
}

func indexClasses(classes []Class) classIndex {
	x := classIndex{len(classes), map[string]int{}}
	for i, c := range classes {
		name := fold(c.name())
		if _, ok := x.byName[name]; ok {
			x.byName[name] = -1
			continue
		}
		x.byName[name] = i
	}
	return x
}

// number is a class' place by its number, from 0, or its name.
func (x classIndex) number(label string) (int, error) {
	if isNumber(label) {
		if n, err := strconv.Atoi(label); err == nil && n < x.count {
			return n, nil
		}
		return 0, fmt.Errorf("label %.20s, but there are %d classes, from 0", label, x.count)
	}
	n, ok := x.byName[fold(label)]
	switch {
	case !ok:
		return 0, fmt.Errorf("%.80q is not among the %d classes", label, x.count)
	case n < 0:
		return 0, fmt.Errorf("%.80q is the name of several classes: give its number", label)
	}
	return n, nil
}
