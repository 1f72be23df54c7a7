package froster

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(c rune) bool { return c > 127 }) }

// FuzzTokens finds no text that is read other than by the official rules.
func FuzzTokens(f *testing.F) {
	for _, c := range testFixture(f).Tokenizer {
		f.Add(c.Text)
	}
	for _, text := range []string{"\xff\xfe", "a\xc3", "'ſ it'ſ <|ſtartoftext|> <|endoftext|", "<|endoftext|>|>", "&amp;#38;lt;|endoftext|&gt;", "K \u0130\u0307 ΑΣ.",
		"''ll 'Re !'s", "x</w>y</w>", "\u00a0\u1680\u2003\u180e\u0085\x1c\v", "👩‍👩‍👧‍👦 🏳️‍🌈", "e\u0301\u0327", "&#x110000;&#0;&#55296;&#xD83D;", "Ãªº", "<&#20 &EACUTE;&#xfffe;", "a\u0345b \u0345 ᾳ"} {
		f.Add(text)
	}
	tok, want := newTestTokenizer(f), newOfficial(f)
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := tok.Encode(text)
		if err != nil {
			var long *TextError
			if !errors.As(err, &long) || long.Tokens <= testContext || ids != nil {
				t.Fatalf("%q: %v with %d tokens", text, err, len(ids))
			}
			return
		}
		if len(ids) < 2 || len(ids) > testContext || ids[0] != startID || ids[len(ids)-1] != endID ||
			slices.ContainsFunc(ids, func(id int) bool { return id < 0 || id > endID }) {
			t.Fatalf("%q: tokens %v", text, ids)
		}
		cleaned := tok.clean(text)
		if official := want.encode(cleaned); !slices.Equal(ids, official) {
			t.Fatalf("%q: tokens %v, the official code's %v", text, ids, official)
		}
		if slow := tok.cleanAny(text); slow != cleaned {
			t.Fatalf("%q is cleaned to %q in short, to %q at length", text, cleaned, slow)
		}
		// Beyond ASCII, characters that stood apart may mean something together.
		if !isASCII(cleaned) {
			return
		}
		decoded := want.decode(ids[1 : len(ids)-1])
		if again, err := tok.Encode(decoded); err != nil || !slices.Equal(again, ids) {
			t.Fatalf("%q: tokens %v, of their text %q: %v, %v", text, ids, decoded, again, err)
		}
	})
}

// FuzzRepair: repairing ends, and leaves what can be written in a file.
func FuzzRepair(f *testing.F) {
	for _, c := range testFixture(f).Tokenizer {
		f.Add(c.Text)
	}
	f.Add(strings.Repeat("&amp;", 20) + "lt;")
	f.Add("Ã¢â‚¬â„¢ Ã£Æ’Å  \x85\x9f")
	r := newRepairer()
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\ufffd")
		got := r.repair(text)
		if strings.ToValidUTF8(got, "") != got {
			t.Fatalf("%q: %q is not UTF-8", text, got)
		}
		if isPlain(text) && got != text {
			t.Fatalf("%q had nothing to be repaired; got %q", text, got)
		}
		if strings.ContainsFunc(got, func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\n\f\r", c) || c == 0x7f }) {
			t.Fatalf("%q: %q has control characters", text, got)
		}
	})
}
