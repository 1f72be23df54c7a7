package vocab

import (
	"strings"
	"unicode"
)

// Characters that are not shown make labels that look alike, and texts that are not
// what they seem. They are refused except where writing needs them.

// invisible are characters that are not shown: those that Unicode calls "default
// ignorable" (UAX #44) but variation selectors, which only choose how the character
// before them is drawn, line separators, and the blank of Braille.
func invisible(r rune) bool {
	switch {
	case r < 0xad: // most text, quickly; control characters are refused elsewhere
		return false
	case r == 0x2028, r == 0x2029, r == 0x2800:
		return true
	case r >= 0xfff9 && r <= 0xfffb: // marks of interlinear annotations
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r), r >= 0x13430 && r <= 0x13440: // are shown
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// bare is text without characters that are not shown. Two labels whose bare texts
// are the same look the same.
func bare(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if invisible(r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, text))
}

// outOfPlace is the first character of text that is not shown and that writing does
// not need where it is; ok is false if there is none. The three direction marks of
// Arabic and Hebrew are allowed anywhere, as in topics.Printable.
func outOfPlace(text string) (r rune, ok bool) {
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case r == 0x061c, r == 0x200e, r == 0x200f:
		case r >= 0x200b && r <= 0x200d: // zero-width space, non-joiner, joiner
			if !joins(before(runes[:i]), after(runes[i+1:])) {
				return r, true
			}
		case unicode.Is(unicode.Variation_Selector, r):
			if i == 0 || unicode.IsSpace(runes[i-1]) || unicode.Is(unicode.Variation_Selector, runes[i-1]) || invisible(runes[i-1]) {
				return r, true
			}
		case invisible(r):
			return r, true
		}
	}
	return 0, false
}

// before is the last of runes, but signs that go with letters of any script.
func before(runes []rune) rune {
	for i := len(runes) - 1; i >= 0; i-- {
		if !unicode.Is(unicode.Inherited, runes[i]) || !unicode.Is(unicode.Mn, runes[i]) || unicode.Is(unicode.Variation_Selector, runes[i]) {
			return runes[i]
		}
	}
	return ' '
}

func after(runes []rune) rune {
	if len(runes) == 0 {
		return ' '
	}
	return runes[0]
}

// joins reports whether a zero-width character has a meaning between these two:
// within a word of a script that is written with such characters, or within an
// emoji. In Indic scripts it may also end a word, after a sign that takes away the
// vowel of the letter before it.
func joins(before, after rune) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }
	switch {
	case unicode.In(before, joiningScripts...):
		return inWord(after) || unicode.In(after, joiningScripts...) || unicode.Is(unicode.Mn, before)
	case unicode.In(after, joiningScripts...):
		return inWord(before)
	}
	return isEmoji(before) && unicode.In(after, unicode.So, unicode.Sm)
}

// isEmoji reports whether r may be the end of an emoji: a picture, its variation
// selector, or a skin colour.
func isEmoji(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Variation_Selector) || r >= 0x1f3fb && r <= 0x1f3ff
}

// joiningScripts are written with zero-width joiners and non-joiners, or with
// zero-width spaces between words.
var joiningScripts = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Nko, unicode.Mongolian, unicode.Adlam, unicode.Hanifi_Rohingya,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Tibetan, unicode.Meetei_Mayek, unicode.Newa, unicode.Tirhuta,
	unicode.Khmer, unicode.Myanmar, unicode.Thai, unicode.Lao, unicode.Balinese, unicode.Javanese,
}
