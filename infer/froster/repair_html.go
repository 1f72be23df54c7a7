package froster

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/language"
)

// unescape decodes character references as Python's html.unescape does. Go's
// html package knows the same names but treats numeric references differently:
// it keeps control characters and overflows.
func unescape(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '&')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at])
		text = text[at:]
		if n, number := numericReference(text); n > 0 {
			b.WriteString(character(number))
			text = text[n:]
			continue
		}
		n := 1 + spanOf(text[1:], isAlphanumeric)
		if strings.HasPrefix(text[n:], ";") {
			n++
		}
		b.WriteString(html.UnescapeString(text[:n]))
		text = text[n:]
	}
}

func spanOf(text string, in func(rune) bool) int {
	if n := strings.IndexFunc(text, func(c rune) bool { return !in(c) }); n >= 0 {
		return n
	}
	return len(text)
}

func isAlphanumeric(c rune) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c rune) bool        { return c >= '0' && c <= '9' }

// numericReference returns the number in the numeric reference that text begins
// with, and the reference's length in bytes; n is 0 if there is none.
func numericReference(text string) (n int, number rune) {
	rest, found := strings.CutPrefix(text, "&#")
	if !found {
		return 0, 0
	}
	base, in := rune(10), isDigit
	if rest != "" && (rest[0] == 'x' || rest[0] == 'X') {
		rest, base = rest[1:], 16
		in = func(c rune) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
	}
	digits := spanOf(rest, in)
	if digits == 0 {
		return 0, 0
	}
	for _, c := range rest[:digits] {
		if !isDigit(c) {
			c = c | 0x20 - 'a' + '0' + 10
		}
		number = min(number*base+c-'0', unicode.MaxRune+1)
	}
	rest = strings.TrimPrefix(rest[digits:], ";")
	return len(text) - len(rest), number
}

// character returns what a numeric reference means in the HTML standard, as
// Python implements it: some numbers mean another character, some nothing.
func character(c rune) string {
	switch {
	case c == 0 || c >= 0xd800 && c <= 0xdfff || c > unicode.MaxRune:
		return "\ufffd"
	case c >= 0x80 && c <= 0x9f:
		return string(charmap.Windows1252.DecodeByte(byte(c)))
	case c < 0x20 && !strings.ContainsRune("\t\n\f\r", c), c == 0x7f, c >= 0xfdd0 && c <= 0xfdef, c&0xfffe == 0xfffe:
		return ""
	}
	return string(c)
}

// unescaper decodes what ftfy takes for a character reference: one with a
// semicolon, whose name may also be in capitals.
type unescaper struct{ reference *regexp.Regexp }

func newUnescaper() unescaper {
	return unescaper{regexp.MustCompile(`&#?[0-9A-Za-z]{1,24};`)}
}

func (u unescaper) unescape(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	return u.reference.ReplaceAllStringFunc(text, func(ref string) string {
		plain := unescape(ref)
		if whole(ref, plain) {
			return plain
		}
		lower := strings.ToLower(ref)
		if plain != ref || ref != strings.ToUpper(ref) || ref[1] == '#' {
			return ref
		}
		if plain = unescape(lower); !whole(lower, plain) {
			return ref
		}
		return cases.Upper(language.Und).String(plain)
	})
}

// whole reports whether all of ref was decoded rather than just the beginning
// of its name.
func whole(ref, plain string) bool { return !strings.HasSuffix(plain, ";") || ref == "&semi;" }
