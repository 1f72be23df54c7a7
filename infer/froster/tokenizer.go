package froster

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // CLIP's table
	"fmt"
	"html"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// OpenAI CLIP's merges (MIT), as published with its code.
//
//go:embed bpe_simple_vocab_16e6.txt.gz
var mergesFile []byte

const (
	startToken = "<|startoftext|>"
	endToken   = "<|endoftext|>"
	wordEnd    = "</w>"
	// merges used of the file: 49152 - 256 bytes - 2 specials, as in CLIP.
	mergesUsed = 49152 - 256 - 2
	// A text is refused before it is split when it can't be a label.
	maxTextBytes = 16 << 10
)

// Tokenizer is CLIP's byte-pair encoder. Safe for concurrent use.
//
// The official code first repairs texts with ftfy; repairer says how far we
// follow.
type Tokenizer struct {
	context int
	ids     map[string]int
	ranks   map[[2]string]int
	letters [256]string // printable stand-in of each byte
	words   *regexp.Regexp
	repairs repairer
}

// TextError says that a text can't be read by the model.
type TextError struct {
	Text          string
	Tokens, Limit int
}

func (e *TextError) Error() string {
	return fmt.Sprintf("text %q: %d tokens, the model reads at most %d", shorten(e.Text, 80), e.Tokens, e.Limit)
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// NewTokenizer reads the embedded table. context is the most tokens a text may
// have, start and end included.
func NewTokenizer(context int) (*Tokenizer, error) {
	t := &Tokenizer{context: context, ids: map[string]int{}, ranks: map[[2]string]int{}, repairs: newRepairer(),
		words: regexp.MustCompile(`(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`)}
	z, err := gzip.NewReader(bytes.NewReader(mergesFile))
	if err != nil {
		return nil, fmt.Errorf("read the embedded token table: %w", err)
	}
	order := t.fillLetters()
	vocab := append([]string(nil), order...)
	for _, l := range order {
		vocab = append(vocab, l+wordEnd)
	}
	lines := bufio.NewScanner(z)
	lines.Scan() // the first line names the version
	for len(t.ranks) < mergesUsed && lines.Scan() {
		a, b, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			return nil, fmt.Errorf("read the embedded token table: odd line %q", lines.Text())
		}
		t.ranks[[2]string{a, b}] = len(t.ranks)
		vocab = append(vocab, a+b)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the embedded token table: %w", err)
	}
	for i, v := range append(vocab, startToken, endToken) {
		t.ids[v] = i
	}
	return t, nil
}

// fillLetters gives each byte a printable character, in CLIP's order: those
// that are printable in Latin-1 stand for themselves, the others for the code
// points from 256 on.
func (t *Tokenizer) fillLetters() []string {
	var order []string
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae }
	for b := range 256 {
		if printable(b) {
			t.letters[b] = string(rune(b))
			order = append(order, t.letters[b])
		}
	}
	next := rune(256)
	for b := range 256 {
		if !printable(b) {
			t.letters[b] = string(next)
			order = append(order, t.letters[b])
			next++
		}
	}
	return order
}

// Encode gives start, the text's tokens and end. A text too long for the model
// is a *TextError.
func (t *Tokenizer) Encode(text string) ([]int, error) {
	if len(text) > maxTextBytes {
		return nil, &TextError{Text: text, Tokens: len(text), Limit: t.context}
	}
	ids := []int{t.ids[startToken]}
	for _, word := range t.words.FindAllString(t.clean(text), -1) {
		if word == startToken || word == endToken {
			ids = append(ids, t.ids[word])
			continue
		}
		for _, piece := range t.merge(word) {
			ids = append(ids, t.ids[piece])
		}
	}
	ids = append(ids, t.ids[endToken])
	if len(ids) > t.context {
		return nil, &TextError{Text: text, Tokens: len(ids), Limit: t.context}
	}
	return ids, nil
}

// clean is CLIP's: repaired, entities unescaped twice, white space folded, lower case.
func (t *Tokenizer) clean(text string) string {
	text = html.UnescapeString(html.UnescapeString(t.repairs.repair(strings.ToValidUTF8(text, "\ufffd"))))
	text = strings.Join(strings.FieldsFunc(text, pythonSpace), " ")
	return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(text)
}

// pythonSpace is what Python's str.split and \s take for white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// merge splits a word into the pieces of the table: starting from its bytes,
// the pair of lowest rank is joined everywhere, again and again.
func (t *Tokenizer) merge(word string) []string {
	pieces := make([]string, 0, len(word))
	for i := range len(word) {
		pieces = append(pieces, t.letters[word[i]])
	}
	if len(pieces) == 0 {
		return nil
	}
	pieces[len(pieces)-1] += wordEnd
	for len(pieces) > 1 {
		best, rank := [2]string{}, math.MaxInt
		for i := range len(pieces) - 1 {
			pair := [2]string{pieces[i], pieces[i+1]}
			if r, ok := t.ranks[pair]; ok && r < rank {
				best, rank = pair, r
			}
		}
		if rank == math.MaxInt {
			break
		}
		joined := pieces[:0:0]
		for i := 0; i < len(pieces); i++ {
			if i+1 < len(pieces) && pieces[i] == best[0] && pieces[i+1] == best[1] {
				joined = append(joined, best[0]+best[1])
				i++
				continue
			}
			joined = append(joined, pieces[i])
		}
		pieces = joined
	}
	return pieces
}
