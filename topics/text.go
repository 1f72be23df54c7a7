package topics

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on texts in records, which anyone may write.
const (
	maxID   = 512 // bytes; our ids consist of a camera, a rule and two times
	maxTag  = 128 // bytes
	maxTags = 32
)

// isID reports whether text may be an id or a name.
func isID(text string) bool { return text != "" && len(text) <= maxID && printable(text) }

// maxText bounds a text for people, such as a reason.
const maxText = 500 // bytes

// Clean makes text fit to be shown and to be stored in a record: one line of valid
// UTF-8 without control characters, of at most 500 bytes. Use it for texts from
// records and for errors that may quote them.
func Clean(text string) string {
	const cut = "…"
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText-len(cut)], "") + cut
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// printable reports whether text can be shown as it is: valid UTF-8 without
// control characters.
func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return false
		}
	}
	return true
}

// areTags reports whether a record's tags are within their bounds.
func areTags(tags []string) bool {
	if len(tags) > maxTags {
		return false
	}
	for _, t := range tags {
		if t == "" || len(t) > maxTag || !printable(t) {
			return false
		}
	}
	return true
}

var errBadTags = fmt.Errorf("tags: want at most %d, each 1 to %d bytes of printable text", maxTags, maxTag)
