package froster

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // CLIP's table
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// mergesFile is OpenAI CLIP's list of merges (MIT licence), as published with
// its code.
//
//go:embed bpe_simple_vocab_16e6.txt.gz
var mergesFile []byte

const (
	wordEnd = "</w>"
	// mergesUsed is how many merges of the file are used: 49152 - 256 bytes - 2
	// special tokens, as in CLIP.
	mergesUsed = 49152 - 256 - 2
	atEnd      = 256 // added to the token of a byte that ends a word
	// A text longer than maxTextBytes can't be a label and is refused before it
	// is split into words.
	maxTextBytes = 16 << 10
)

// dialect is in what tokenizers with CLIP's table differ.
type dialect struct {
	startToken, endToken string
	// cuts: of a text that is too long the beginning is read. Else it is refused.
	cuts bool
}

// dialectOf is the dialect of an architecture: OpenAI's, or that of Perception Encoder
// (core/vision_encoder/tokenizer.py).
func dialectOf(architecture string) dialect {
	if architecture == PECore {
		return dialect{"<start_of_text>", "<end_of_text>", true}
	}
	return dialect{"<|startoftext|>", "<|endoftext|>", false}
}

// Tokenizer is CLIP's byte-pair encoder. It is safe for concurrent use. The
// official code first repairs texts with ftfy; see repairer for the part of it
// that is done here.
type Tokenizer struct {
	dialect
	context int
	start   int // the ids of the special tokens
	end     int
	pairs   map[[2]int32]int32
	letters [256]int32 // the token of each byte
	repairs repairer

	mu     sync.Mutex
	merged map[string][]int32 // tokens of words seen recently
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

// NewTokenizer reads the embedded table, for CLIP. context is the largest number of
// tokens that a text may have, start and end tokens included.
func NewTokenizer(context int) (*Tokenizer, error) { return newTokenizer(context, dialectOf(FROSTER)) }

func newTokenizer(context int, d dialect) (*Tokenizer, error) {
	t := &Tokenizer{dialect: d, context: context, pairs: map[[2]int32]int32{}, repairs: newRepairer(), merged: map[string][]int32{}}
	z, err := gzip.NewReader(bytes.NewReader(mergesFile))
	if err != nil {
		return nil, fmt.Errorf("read the embedded token table: %w", err)
	}
	tokens := map[string]int32{}
	for i, letter := range t.fillLetters() {
		tokens[letter], tokens[letter+wordEnd] = int32(i), int32(i)+atEnd
	}
	lines := bufio.NewScanner(z)
	lines.Scan() // the first line names the version
	for next := int32(2 * atEnd); len(t.pairs) < mergesUsed && lines.Scan(); next++ {
		a, b, ok := strings.Cut(lines.Text(), " ")
		first, isFirst := tokens[a]
		second, isSecond := tokens[b]
		if !ok || !isFirst || !isSecond {
			return nil, fmt.Errorf("read the embedded token table: unexpected line %q", lines.Text())
		}
		t.pairs[[2]int32{first, second}], tokens[a+b] = next, next
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the embedded token table: %w", err)
	}
	t.start = 2*atEnd + mergesUsed
	t.end = t.start + 1
	return t, nil
}

// fillLetters assigns tokens to bytes and returns, in CLIP's order, the
// character by which the file writes each byte: bytes that are printable in
// Latin-1 are written as themselves, the others as code points from 256 on.
func (t *Tokenizer) fillLetters() (order []string) {
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae }
	next := rune(256)
	for _, plain := range []bool{true, false} {
		for b := range 256 {
			if printable(b) != plain {
				continue
			}
			t.letters[b] = int32(len(order))
			if plain {
				order = append(order, string(rune(b)))
				continue
			}
			order = append(order, string(next))
			next++
		}
	}
	return order
}

// Encode returns the start token, the text's tokens and the end token. The
// error is a *TextError if the text is too long for the model; where the model reads the
// beginning of such texts, if it is too long to be a text at all.
func (t *Tokenizer) Encode(text string) ([]int, error) {
	ids, _, err := t.encode(text)
	return ids, err
}

// encode is Encode, and returns the last word that is read to its end if there is one that
// is not.
func (t *Tokenizer) encode(text string) (ids []int, cut *CutError, err error) {
	if len(text) > maxTextBytes {
		return nil, nil, &TextError{Text: text, Tokens: len(text), Limit: t.context}
	}
	ids = []int{t.start}
	last := ""
	for word := range words(t.clean(text), t.startToken, t.endToken) {
		switch word {
		case t.startToken:
			ids = append(ids, t.start)
		case t.endToken:
			ids = append(ids, t.end)
		default:
			for _, token := range t.word(word) {
				ids = append(ids, int(token))
			}
		}
		if cut == nil && len(ids) >= t.context { // no place is left for the end token
			cut = &CutError{After: last, Limit: t.context}
		}
		last = word
	}
	ids = append(ids, t.end)
	if len(ids) <= t.context {
		return ids, nil, nil
	}
	if !t.cuts {
		return nil, cut, &TextError{Text: text, Tokens: len(ids), Limit: t.context}
	}
	return append(ids[:t.context-1], t.end), cut, nil
}

// clean prepares a text as CLIP does: repaired, entities unescaped twice, white
// space collapsed, lower case.
func (t *Tokenizer) clean(text string) string {
	if isPlain(text) { // most texts are, and the steps below are slow
		return strings.ToLower(strings.Join(strings.Fields(text), " "))
	}
	return t.cleanAny(text)
}

func (t *Tokenizer) cleanAny(text string) string {
	text = unescape(unescape(t.repairs.repair(strings.ToValidUTF8(text, "\ufffd"))))
	text = strings.Join(strings.FieldsFunc(text, pythonSpace), " ")
	return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(text)
}

// isPlain reports whether a text has nothing to repair or unescape.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' && !strings.ContainsRune("\t\n\f\r", rune(c))) || c > '~' || c == '&' {
			return false
		}
	}
	return true
}

// pythonSpace reports whether Python's str.split and \s take r for white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
