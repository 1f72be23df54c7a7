package vocab

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Spelling is what all spellings of a label have in common. Two labels are one if
// they differ only by case (Unicode's full case folding), by white space, by
// characters that are not shown, or by how accents are encoded.
func Spelling(name string) string {
	if plain, ok := plainSpelling(name); ok {
		return plain
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(collapsed(bare(name)))))
}

// plainSpelling is Spelling of a plain text, which most labels are; ok is false for
// others.
func plainSpelling(name string) (spelling string, ok bool) {
	if !isPlain(name) {
		return "", false
	}
	return strings.ToLower(collapsed(name)), true
}

// isPlain reports whether a text consists of printable ASCII.
func isPlain(text string) bool {
	for i := range len(text) {
		if !plainByte(text[i]) {
			return false
		}
	}
	return true
}

func plainByte(c byte) bool { return c >= ' ' && c <= '~' }

// collapsed is text with one space for each run of white space, and none around it.
func collapsed(text string) string { return strings.Join(strings.Fields(text), " ") }

// SameLabel reports whether two texts are spellings of one label. It is quick where
// both consist of ASCII.
func SameLabel(a, b string) bool {
	i, j := skipSpaces(a, 0), skipSpaces(b, 0)
	for i < len(a) && j < len(b) {
		x, y := a[i], b[j]
		switch {
		case !plainByte(x) || !plainByte(y):
			return Spelling(a) == Spelling(b)
		case lower(x) != lower(y): // but white space of another kind may follow
			return (!isPlain(a[i:]) || !isPlain(b[j:])) && Spelling(a) == Spelling(b)
		}
		i, j = i+1, j+1
		if x == ' ' {
			i, j = skipSpaces(a, i), skipSpaces(b, j)
		}
	}
	rest := a[i:] + b[j:] // one of them is at its end
	return strings.Trim(rest, " ") == "" || !isPlain(rest) && Spelling(a) == Spelling(b)
}

func skipSpaces(text string, at int) int {
	for at < len(text) && text[at] == ' ' {
		at++
	}
	return at
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// better orders the entries of one spelling. The first one that can be used counts:
// one with a value rather than one without, so that an edit by a slip of the
// keyboard takes no tag or description away; then the shortest, and the one in
// lower case.
func better(a, b entryOf) int {
	empty := func(e entryOf) int {
		if strings.TrimSpace(e.value) == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(empty(a), empty(b)), cmp.Compare(len(a.field), len(b.field)), cmp.Compare(b.field, a.field))
}

// entryOf is one entry of the hash.
type entryOf struct{ field, value, spelling string }

// duplicateOf is the problem of a field that is another spelling of a label.
func duplicateOf(label, field string) error {
	return fmt.Errorf("duplicate of the label %q: they differ only by %s", label, difference(label, field))
}

func difference(a, b string) string {
	switch {
	case collapsed(a) == collapsed(b):
		return "white space"
	case collapsed(bare(a)) == collapsed(bare(b)):
		return "characters that are not shown"
	case norm.NFC.String(collapsed(bare(a))) == norm.NFC.String(collapsed(bare(b))):
		return "how accents are encoded"
	case len(strings.Fields(a)) == len(strings.Fields(b)) && strings.TrimSpace(b) == collapsed(b):
		return "case"
	}
	return "case and white space"
}
