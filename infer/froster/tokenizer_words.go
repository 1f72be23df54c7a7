package froster

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// words are what CLIP's pattern finds in a cleaned text, in order:
//
//	(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+
//
// A regular expression would take half of a tokenizer's time, and Go's case
// folding of character classes differs from that of the official
// implementation, Python's regex. The special tokens, lower case, are the tokenizer's own.
func words(text string, specials ...string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			n := wordLength(text, specials)
			if n == 0 {
				_, n = utf8.DecodeRuneInString(text)
			} else if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// wordLength is the length in bytes of the word that text begins with; 0 if it
// begins with something that is skipped.
func wordLength(text string, specials []string) int {
	switch text[0] {
	case '<':
		for _, special := range specials {
			if n := foldedPrefix(text, special); n > 0 {
				return n
			}
		}
	case '\'':
		for _, suffix := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
			if n := foldedPrefix(text, suffix); n > 0 {
				return n
			}
		}
	}
	first, n := utf8.DecodeRuneInString(text)
	kind := kindOf(first)
	switch kind {
	case space:
		return 0
	case number: // each digit is a word of its own
		return n
	}
	if end := strings.IndexFunc(text, func(c rune) bool { return kindOf(c) != kind }); end >= 0 {
		return end
	}
	return len(text)
}

// foldedPrefix is how many bytes of text match a lower-case prefix, 0 if it
// does not match. The long s is the only lower-case character that equals
// another one by case folding.
func foldedPrefix(text, prefix string) int {
	at := 0
	for i := range len(prefix) {
		c, n := utf8.DecodeRuneInString(text[at:])
		if c == 'ſ' {
			c = 's'
		}
		if c != rune(prefix[i]) {
			return 0
		}
		at += n
	}
	return at
}

type kind int

const (
	other kind = iota
	letter
	number
	space // and what is skipped like white space
)

func kindOf(c rune) kind {
	switch {
	case c == 0x345:
		// The combining iota (U+0345) is none of the three: in Python's regex
		// neither class contains it, the second because its fold is a letter.
		// It is the only such character.
		return space
	case unicode.IsLetter(c):
		return letter
	case unicode.IsNumber(c):
		return number
	case strings.ContainsRune(" \t\n\f\r", c):
		return space
	}
	return other
}
