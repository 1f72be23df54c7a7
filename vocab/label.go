// Package vocab is the live vocabulary: the actions that cameras are watched
// for, in a Redis hash that people edit while everything runs.
package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/frostwatch/frostwatch/topics"
)

// Label is one action to be recognised.
type Label struct {
	Name string `json:"-"` // the hash's field
	// Description is optional. The model reads it after the name.
	Description string   `json:"description,omitempty"`
	Aliases     []string `json:"aliases,omitempty"` // other wordings; the one most similar to the clip counts
	Tags        []string `json:"tags,omitempty"`    // rules may select labels by tag
	// Background is for what normally goes on: such a label takes its share of
	// the score, but no rule raises an alert on it by tag or as novel.
	Background bool    `json:"background,omitempty"`
	Threshold  float64 `json:"threshold,omitempty"` // score at which rules without one raise; 0: not set
	// Begins and Ends describe the first and the last moments of the action, so that
	// its contrast tells it from the same action backwards. Both or neither are set.
	Begins string `json:"begins,omitempty"`
	Ends   string `json:"ends,omitempty"`
}

// Bounds on one entry of the hash, which anyone may write.
const (
	maxName  = 256  // bytes
	maxValue = 4096 // bytes
	maxList  = 32   // aliases, and tags
	maxTag   = 128  // bytes; tags are part of each recognition
)

// ParseLabel parses one entry of the hash. The value is empty, a description in
// words, or a JSON object of Label's fields.
func ParseLabel(field, value string) (Label, error) {
	l := Label{Name: strings.TrimSpace(field)}
	if err := checkText("label", l.Name, maxName); err != nil {
		return Label{}, err
	}
	if l.Name == "" {
		return Label{}, errors.New("label is empty")
	}
	if len(value) > maxValue {
		return Label{}, fmt.Errorf("value of %d bytes: at most %d", len(value), maxValue)
	}
	value = strings.TrimSpace(value)
	if what := noWords(value); what != "" {
		return Label{}, fmt.Errorf(`value is %s: want words that describe the label, or JSON such as {"threshold": 0.5}, {"aliases": ["..."]}`, what)
	}
	if !strings.HasPrefix(value, "{") {
		l.Description = value
		return l, checkText("description", value, maxValue)
	}
	if err := l.decode(value); err != nil {
		return Label{}, err
	}
	l = l.trimmed()
	return l, l.validate()
}

// noWords says what a value is that was meant for something else than a description,
// and is no JSON object; "": it may be a description.
func noWords(value string) string {
	if strings.HasPrefix(value, "[\"") || strings.HasPrefix(value, "[{") {
		return "a list"
	}
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return "a number"
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list"
	}
	return ""
}

// trimmed is l without white space around its texts.
func (l Label) trimmed() Label {
	for _, text := range []*string{&l.Name, &l.Description, &l.Begins, &l.Ends} {
		*text = strings.TrimSpace(*text)
	}
	l.Aliases, l.Tags = slices.Clone(l.Aliases), slices.Clone(l.Tags)
	for _, list := range [][]string{l.Aliases, l.Tags} {
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
	}
	return l
}

func (l Label) validate() error {
	if math.IsNaN(l.Threshold) || l.Threshold < 0 || l.Threshold > 1 {
		return fmt.Errorf("threshold %v: want 0 to 1", l.Threshold)
	}
	if len(l.Aliases) > maxList || len(l.Tags) > maxList {
		return fmt.Errorf("%d aliases and %d tags: at most %d of each", len(l.Aliases), len(l.Tags), maxList)
	}
	for what, texts := range map[string][]string{
		"description": {l.Description}, "begins": {l.Begins}, "ends": {l.Ends}, "aliases": l.Aliases, "tags": l.Tags,
	} {
		for _, t := range texts {
			limit := maxValue
			if what == "tags" {
				limit = maxTag
			}
			if err := checkText(what, t, limit); err != nil {
				return err
			}
			if t == "" && (what == "aliases" || what == "tags") {
				return fmt.Errorf("%s: one of them is empty", what)
			}
		}
	}
	if (l.Begins == "") != (l.Ends == "") {
		return errors.New("begins and ends need each other: want both, or neither")
	}
	return nil
}

func checkText(what, s string, limit int) error {
	switch {
	case len(s) > limit:
		return fmt.Errorf("%s of %d bytes: at most %d", what, len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8", what)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%s has a control character in it", what)
	case !topics.Printable(s): // no record may carry it
		return fmt.Errorf("%s has a character in it that changes the direction of the text after it", what)
	}
	if r, ok := outOfPlace(s); ok {
		return fmt.Errorf("%s has a character in it that is not shown: %U", what, r)
	}
	if s != "" && bare(s) == "" {
		return fmt.Errorf("%s has only characters that are not shown", what)
	}
	return nil
}

// Value is the label's value in the hash, which ParseLabel parses: the plain
// description if the label has nothing else, JSON otherwise.
func (l Label) Value() (string, error) {
	l = l.trimmed()
	if err := l.validate(); err != nil { // before JSON silently replaces what is not UTF-8
		return "", fmt.Errorf("label %q: %w", l.Name, err)
	}
	plain := l
	plain.Name, plain.Description = "", ""
	raw, err := json.Marshal(plain)
	if err != nil {
		return "", fmt.Errorf("encode label %q: %w", l.Name, err)
	}
	if string(raw) == "{}" && !strings.HasPrefix(l.Description, "{") && noWords(l.Description) == "" {
		return l.Description, nil
	}
	if raw, err = json.Marshal(l); err != nil {
		return "", fmt.Errorf("encode label %q: %w", l.Name, err)
	}
	return string(raw), nil
}

// Texts are what the model reads: the label and each alias, each followed by the
// description. A clip is as similar to the label as to the most similar text.
func (l Label) Texts() []string {
	out := make([]string, 0, 1+len(l.Aliases))
	for _, t := range append([]string{l.Name}, l.Aliases...) {
		if l.Description != "" {
			t += ": " + l.Description
		}
		out = append(out, t)
	}
	return out
}

// Read are all texts of the label that the model reads: Texts, Begins and Ends.
func (l Label) Read() []string {
	if l.Begins == "" {
		return l.Texts()
	}
	return append(l.Texts(), l.Begins, l.Ends)
}
