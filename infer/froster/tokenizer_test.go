package froster

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
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
		got, err := m.tokens(class)
		if err != nil {
			t.Fatal(err)
		}
		for k, tokens := range got {
			tokens = append(tokens, make([]int, testContext-len(tokens))...)
			if want := ids[(i*promptsPerLabel+k)*testContext:][:testContext]; !slices.Equal(tokens, want) {
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

// official is CLIP's encoder of cleaned texts as published: on strings, with its
// pattern as Python's regex reads it (words). It is slow.
type official struct {
	ids     map[string]int
	ranks   map[[2]string]int
	letters []string
	pattern *regexp.Regexp
}

func newOfficial(t testing.TB) *official {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(string(mergesFile)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	o := &official{ids: map[string]int{}, ranks: map[[2]string]int{}, letters: make([]string, 256),
		pattern: regexp.MustCompile(`(?i:<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}\x{345}]+`)}
	var vocab []string
	others := 0
	for b := range 256 {
		if b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®' && b <= 'ÿ' {
			o.letters[b] = string(rune(b))
			vocab = append(vocab, o.letters[b])
		}
	}
	for b := range 256 {
		if o.letters[b] == "" {
			o.letters[b] = string(rune(256 + others))
			vocab = append(vocab, o.letters[b])
			others++
		}
	}
	for _, letter := range slices.Clone(vocab) {
		vocab = append(vocab, letter+"</w>")
	}
	for i, line := range strings.Split(string(raw), "\n")[1 : 49152-256-2+1] {
		a, b, _ := strings.Cut(line, " ")
		o.ranks[[2]string{a, b}] = i
		vocab = append(vocab, a+b)
	}
	for i, v := range append(vocab, "<|startoftext|>", "<|endoftext|>") {
		o.ids[v] = i
	}
	if len(o.ids) != endID+1 {
		t.Fatalf("%d tokens", len(o.ids))
	}
	return o
}

func (o *official) encode(cleaned string) []int {
	ids := []int{startID}
	for _, word := range o.pattern.FindAllString(cleaned, -1) {
		if id, ok := o.ids[word]; ok && (id == startID || id == endID) {
			ids = append(ids, id)
			continue
		}
		for _, piece := range o.merge(word) {
			ids = append(ids, o.ids[piece])
		}
	}
	return append(ids, endID)
}

func (o *official) merge(word string) []string {
	var pieces []string
	for _, b := range []byte(word) {
		pieces = append(pieces, o.letters[b])
	}
	pieces[len(pieces)-1] += "</w>"
	for {
		best, rank := [2]string{}, math.MaxInt
		for i := range len(pieces) - 1 {
			pair := [2]string{pieces[i], pieces[i+1]}
			if r, ok := o.ranks[pair]; ok && r < rank {
				best, rank = pair, r
			}
		}
		if rank == math.MaxInt {
			return pieces
		}
		var joined []string
		for len(pieces) > 0 {
			if len(pieces) > 1 && pieces[0] == best[0] && pieces[1] == best[1] {
				joined, pieces = append(joined, best[0]+best[1]), pieces[2:]
				continue
			}
			joined, pieces = append(joined, pieces[0]), pieces[1:]
		}
		pieces = joined
	}
}

// decode gives the text of ids, each word followed by a space; raw are the
// tokens by id.
func (o *official) decode(ids []int) string {
	tokens, bytes := make([]string, len(o.ids)), map[string]byte{}
	for v, id := range o.ids {
		tokens[id] = v
	}
	for b, letter := range o.letters {
		bytes[letter] = byte(b)
	}
	var out strings.Builder
	for _, id := range ids {
		if id == startID || id == endID {
			out.WriteString(tokens[id] + " ")
			continue
		}
		token, ends := strings.CutSuffix(tokens[id], "</w>")
		for _, letter := range token {
			out.WriteByte(bytes[string(letter)])
		}
		if ends {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

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
					if _, err := m.tokens(fmt.Sprintf(format, i)); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
