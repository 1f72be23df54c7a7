package eval

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/frostwatch/frostwatch/vocab"
)

// Class is one of the classes that a video may belong to: its wordings, each
// "label" or "label: description". If there are several, the best one counts.
type Class []string

// name is what a list calls the class: its first wording, up to a colon.
func (c Class) name() string {
	name, _, _ := strings.Cut(c[0], ":")
	return strings.TrimSpace(name)
}

// label returns the class as the vocabulary scores it. Its name is the whole
// wording, so that the model reads exactly that.
func (c Class) label() vocab.Label { return vocab.Label{Name: c[0], Aliases: c[1:]} }

// otherSigns are punctuation in Unicode but distinguish names, such as C and
// C#.
const otherSigns = "#%&*@"

// fold makes names equal that differ only in spelling or spacing: letters,
// digits, marks and signs of any script stay, in one case; punctuation goes.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S) || strings.ContainsRune(otherSigns, r) {
			return r
		}
		return -1
	}, norm.NFC.String(cases.Fold().String(text)))
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// classIndex finds a class by what a list calls it.
type classIndex struct {
	count  int
	commas int            // the most that a name has
	byName map[string]int // -1 if several classes have the name
}

func indexClasses(classes []Class) classIndex {
	x := classIndex{count: len(classes), byName: map[string]int{}}
	for i, c := range classes {
		x.commas = max(x.commas, strings.Count(c.name(), ","))
		name := fold(c.name())
		if name == "" { // any name of punctuation alone would match it
			continue
		}
		if _, ok := x.byName[name]; ok {
			x.byName[name] = -1
			continue
		}
		x.byName[name] = i
	}
	return x
}

// number returns the index of the class that label names: by its number, from
// 0, or by its name.
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
		return 0, fmt.Errorf("%.80q is the name of several classes: give the class's number instead", label)
	}
	return n, nil
}
