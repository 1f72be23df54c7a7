package froster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

const testContext = 77

// Token ids of CLIP's special tokens, as published.
const (
	startID = 49406
	endID   = 49407
)

func newTestTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := NewTokenizer(testContext)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func testFixture(t testing.TB) *fixture {
	t.Helper()
	f, err := openFixture(shared.Path(t, "parity", "tiny_froster_io.json"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTokensAreThoseOfTheOfficialCode(t *testing.T) {
	tok := newTestTokenizer(t)
	for _, c := range testFixture(t).Tokenizer {
		got, err := tok.Encode(c.Text)
		var long *TextError
		switch {
		case c.Error == nil && (err != nil || !slices.Equal(got, c.IDs)):
			t.Errorf("%s: %q: got %v, %v; want %v", c.Why, c.Text, got, err, c.IDs)
		case c.Error != nil && (!errors.As(err, &long) || long.Tokens <= testContext || long.Limit != testContext):
			t.Errorf("%s: %q: got %v, want a refusal", c.Why, c.Text, err)
		}
	}
}

// Every prompt of every class, through the code that serves.
func TestTokensOfPromptsAreThoseOfTheOfficialCode(t *testing.T) {
	f := testFixture(t)
	ids, err := f.ints("token_ids")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{tokenizer: newTestTokenizer(t)}
	for i, class := range f.Classes {
		got, err := m.tokens(m.templates, class)
		if err != nil {
			t.Fatal(err)
		}
		for k, tokens := range got {
			tokens = append(tokens, make([]int, testContext-len(tokens))...)
			if want := ids[(i*promptsRecorded+k)*testContext:][:testContext]; !slices.Equal(tokens, want) {
				t.Errorf("class %q, prompt %d: tokens %v, want %v", class, k, tokens, want)
			}
		}
	}
}

func TestTheLongestText(t *testing.T) {
	tok := newTestTokenizer(t)
	for _, word := range []string{"go", "😀", "é", "9", "!"} {
		one, err := tok.Encode(word)
		if err != nil {
			t.Fatal(err)
		}
		fits := (testContext - 2) / (len(one) - 2)
		if ids, err := tok.Encode(strings.Repeat(word+" ", fits)); err != nil || len(ids) != 2+fits*(len(one)-2) {
			t.Errorf("%d x %q: %d tokens, %v", fits, word, len(ids), err)
		}
		_, err = tok.Encode(strings.Repeat(word+" ", fits+1))
		var long *TextError
		if !errors.As(err, &long) || long.Tokens != 2+(fits+1)*(len(one)-2) {
			t.Errorf("%d x %q: got %v", fits+1, word, err)
		}
	}
	var long *TextError
	if _, err := tok.Encode(strings.Repeat("a", maxTextBytes+1)); !errors.As(err, &long) {
		t.Errorf("got %v", err)
	}
}

// As Python's html.unescape, and ftfy before it, read references; from running
// them.
func TestCharacterReferences(t *testing.T) {
	tok := newTestTokenizer(t)
	for text, want := range map[string]string{
		"a &#20b &#20;c":        "a b c", // a control character is nothing
		"&#x110000; &#xD800;":   "\ufffd \ufffd",
		"&#99999999999999999;x": "\ufffdx",
		"a&#xFFFE;b &#0;":       "ab \ufffd",
		"&#150; &#x97;":         "– —", // as Windows-1252 has them
		"&#X41;&#65 &#; &#x;":   "aa &#; &#x;",
		"&EACUTE; &SZLIG; &x;":  "é ss &x;", // names in capitals are ftfy's
		"&notit; &semi; &amp":   "¬it; ; &",
		"<&amp;amp;lt;":         "<&lt;", // two layers in markup
		"&amp;amp;amp;amp;lt;":  "<",     // any number elsewhere
	} {
		if got := tok.clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Words remembered for one are right for all, also when there are too many.
func TestTokenizerIsSafeForConcurrentUse(t *testing.T) {
	tok, want := newTestTokenizer(t), newOfficial(t)
	var g sync.WaitGroup
	for worker := range 4 {
		g.Go(func() {
			for i := range 2000 {
				text := fmt.Sprintf("word%c%c%d running", 'a'+i%26, 'a'+i/26%26, worker)
				if ids, err := tok.Encode(text); err != nil || !slices.Equal(ids, want.encode(text)) {
					t.Errorf("%q: %v, %v", text, ids, err)
					return
				}
			}
		})
	}
	g.Wait()
	for i := range 2 * mergedWords {
		if _, err := tok.Encode(fmt.Sprintf("a%xb", i*7919)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tok.merged); n == 0 || n > mergedWords {
		t.Errorf("%d words are remembered", n)
	}
}

func BenchmarkTokensOfAThousandLabels(b *testing.B) {
	for name, format := range map[string]string{"ascii": "a person doing the unusual thing number %d", "hangul": "사람이 넘어지는 장면 %d"} {
		b.Run(name, func(b *testing.B) {
			m := &Model{tokenizer: newTestTokenizer(b)}
			for b.Loop() {
				for i := range 1000 {
					if _, err := m.tokens(m.templates, fmt.Sprintf(format, i)); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
