package notify

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// unknownField is how text/template reports a field that there is not.
var unknownField = regexp.MustCompile(`can't evaluate field (\w+) in type \*?(?:notify|topics)\.(\w+)`)

// fieldHint is what a template may have in place of a field that its error names: the
// nearest one of the same value, and all of them. Empty: the error names none.
func fieldHint(err error) string {
	found := unknownField.FindStringSubmatch(err.Error())
	if found == nil {
		return ""
	}
	for _, of := range []any{Notification{}, Event{}, topics.Alert{}, topics.Verdict{}} {
		kind := reflect.TypeOf(of)
		if kind.Name() != found[2] {
			continue
		}
		var names []string
		for _, field := range reflect.VisibleFields(kind) {
			if field.IsExported() {
				names = append(names, field.Name)
			}
		}
		for i := range kind.NumMethod() {
			if m := kind.Method(i); m.Type.NumIn() == 1 && slices.Contains([]string{"Text", "Key", "Value", "About"}, m.Name) {
				names = append(names, m.Name)
			}
		}
		slices.Sort(names)
		return fmt.Sprintf("there is no .%s%s: want one of .%s", found[1], meant(found[1], names), strings.Join(names, ", ."))
	}
	return ""
}

// meant asks whether the nearest of some names was meant, if one is near.
func meant(name string, names []string) string {
	distance := func(of string) int {
		return vocab.Distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(of)))
	}
	nearest := slices.MinFunc(names, func(a, b string) int { return distance(a) - distance(b) })
	if 2*distance(nearest) > len(name) {
		return ""
	}
	return fmt.Sprintf(" (did you mean .%s?)", nearest)
}
