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

// maxAlertID has room for a rule, a stroke and a clip.
const maxAlertID = 2*maxID + 1

// isID reports whether text may be an id or a name.
func isID(text string) bool { return text != "" && len(text) <= maxID && Printable(text) }

// isTopic reports whether text may name the topic of a position; empty: none is named.
func isTopic(text string) bool { return text == "" || isID(text) }

var errBadTopic = fmt.Errorf("topic: want at most %d bytes of printable text", maxID)

// checkIDs refuses ids and names that are neither empty nor valid. The keys say what
// they are.
func checkIDs(texts map[string]string) error {
	for what, text := range texts {
		if text != "" && !isID(text) {
			return fmt.Errorf("%s: want at most %d bytes of printable text", what, maxID)
		}
	}
	return nil
}

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
		if r == utf8.RuneError || hidden(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// Printable reports whether text can be shown as it is and be in a record: valid
// UTF-8 without control characters, and without those that change the direction of
// what is written after them.
func Printable(text string) bool {
	if plain(text) {
		return true
	}
	return utf8.ValidString(text) && !strings.ContainsFunc(text, hidden)
}

// plain is whether a text consists of printable ASCII, as nearly all do.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// hidden reports whether a character is not shown but acts on a terminal or on the
// text around it. The three direction marks that Arabic and Hebrew are written with
// (U+061C, U+200E, U+200F) act on their neighbours alone and are allowed.
func hidden(r rune) bool {
	switch r {
	case 0x061c, 0x200e, 0x200f:
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// areTags reports whether a record's tags are within their bounds.
func areTags(tags []string) bool {
	if len(tags) > maxTags {
		return false
	}
	for _, t := range tags {
		if t == "" || len(t) > maxTag || !Printable(t) {
			return false
		}
	}
	return true
}

var errBadTags = fmt.Errorf("tags: want at most %d, each 1 to %d bytes of printable text", maxTags, maxTag)
