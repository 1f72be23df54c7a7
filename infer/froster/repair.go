package froster

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// repairer does the part of ftfy's fix_text (ftfy 6.3, by its documentation)
// that affects the tokens of real labels. ftfy looks for wrong encodings word
// by word; here a text is repaired only if all of it reads as UTF-8 that was
// decoded as Windows-1252.
type repairer struct {
	terminal *regexp.Regexp
	html     unescaper
}

func newRepairer() repairer {
	return repairer{terminal: regexp.MustCompile("\x1b\\[[0-9;]*[a-zA-Z]"), html: newUnescaper()}
}

// maxRepairs bounds the rounds; each undoes one layer of escaping.
const maxRepairs = 8

func (r repairer) repair(text string) string {
	isMarkup := strings.Contains(text, "<")
	for range maxRepairs {
		before := text
		if !isMarkup {
			text = r.html.unescape(text)
		}
		text = strings.Map(fromC1, misread(text))
		text = r.terminal.ReplaceAllString(text, "")
		text = norm.NFC.String(strings.Map(plain, widen(text)))
		if text == before {
			break
		}
	}
	return text
}

// misread undoes UTF-8 decoded as Windows-1252, if that explains every byte of
// text.
func misread(text string) string {
	raw := make([]byte, 0, len(text))
	for _, c := range text {
		b, ok := charmap.Windows1252.EncodeRune(c)
		if !ok {
			if c > 0xff {
				return text
			}
			b = byte(c)
		}
		raw = append(raw, b)
	}
	// Fewer characters than bytes: some characters took several bytes, so it
	// was UTF-8.
	if !utf8.Valid(raw) || utf8.RuneCount(raw) == utf8.RuneCountInString(text) {
		return text
	}
	return string(raw)
}

// fromC1 maps the control characters 0x80 to 0x9f to what Windows-1252 has
// there.
func fromC1(c rune) rune {
	if c >= 0x80 && c <= 0x9f {
		return charmap.Windows1252.DecodeByte(byte(c))
	}
	return c
}

// widen replaces full-width forms and Latin ligatures with plain letters.
func widen(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c >= 0xff01 && c <= 0xffef, c == 0x3000, c >= 0xfb00 && c <= 0xfb06, c == 0x132, c == 0x133, c >= 0x1c4 && c <= 0x1cc, c >= 0x1f1 && c <= 0x1f3:
			b.WriteString(norm.NFKC.String(string(c)))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// plain makes typographic quotes straight and drops control characters.
func plain(c rune) rune {
	switch {
	case c == 0x2bc || c >= 0x2018 && c <= 0x201b:
		return '\''
	case c >= 0x201c && c <= 0x201f:
		return '"'
	case c < 0x20 && !strings.ContainsRune("\t\n\f\r", c), c == 0x7f, c == 0xfeff, c >= 0x206a && c <= 0x206f, c >= 0xfff9 && c <= 0xfffb:
		return -1
	}
	return c
}
