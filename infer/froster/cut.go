package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/vocab"
)

// CutError says that a model reads only the beginning of a text.
type CutError struct {
	After string // the last word that is read to its end, as the model reads it: in lower case
	Limit int    // tokens
}

func (e *CutError) Error() string {
	return fmt.Sprintf("the model reads %d tokens, and this text with what is put around it has more: it is cut after %q: make it shorter", e.Limit, shorten(e.After, 40))
}

// Cut is a *CutError if not all of a class text is read. Of several prompts that are cut, it
// is about the one of which the least is read.
func (m *Model) Cut(text string) error {
	return (&TextLimit{tokenizer: m.tokenizer, templates: m.templates}).Cut(text)
}

// Reads is how the model reads texts, for those who have not the model.
func (m *Model) Reads() vocab.Reads { return m.bundle.Reads() }

// Reads is how the model reads texts: of its templates the one that is longest around a
// label of some words, since of that the least is read.
func (b *Bundle) Reads() vocab.Reads {
	longest, most := "", -1
	for i, prompt := range b.Prompts("a person falling down: somebody who lies on the floor") {
		if len(prompt) > most {
			longest, most = b.templates()[i], len(prompt)
		}
	}
	return vocab.Reads{Tokens: b.Dims.Context, Template: longest, Cuts: dialectOf(b.Dims.Architecture).cuts}
}

// TextLimit is where a model stops reading a text.
type TextLimit struct {
	tokenizer *Tokenizer
	templates Templates
}

// NewTextLimit is the limit of a model that reads texts like this; of FROSTER, if nothing is
// known. Anyone may have written what is known, so that it is an error where it is impossible.
func NewTextLimit(of vocab.Reads) (*TextLimit, error) {
	if of.Tokens == 0 {
		of = (&Bundle{Dims: Dims{Context: contextCLIP}}).Reads()
	}
	templates := Templates{of.Template}
	if err := templates.check(); err != nil {
		return nil, fmt.Errorf("how the model reads labels: %w", err)
	}
	if of.Tokens < leastContext || of.Tokens > mostContext {
		return nil, fmt.Errorf("how the model reads labels: %d tokens: want %d to %d", of.Tokens, leastContext, mostContext)
	}
	d := dialectOf(FROSTER)
	if of.Cuts {
		d = dialectOf(PECore)
	}
	tokenizer, err := newTokenizer(of.Tokens, d)
	return &TextLimit{tokenizer, templates}, err
}

// Tokens is how many tokens the model reads of a text, start and end included.
func (l *TextLimit) Tokens() int { return l.tokenizer.context }

// Encode is Tokenizer.Encode.
func (l *TextLimit) Encode(text string) ([]int, error) { return l.tokenizer.Encode(text) }

// Skipped says why the model does not read a class text at all; nil: it does.
func (l *TextLimit) Skipped(text string) error {
	_, err := l.tokenizer.Encode(l.longest(text))
	return err
}

// Cut is a *CutError if the model reads only the beginning of a class text.
func (l *TextLimit) Cut(text string) error {
	if !l.tokenizer.cuts {
		return nil
	}
	longest := l.longest(text)
	if len(longest)+2 <= l.tokenizer.context {
		return nil // a token is at least a byte
	}
	_, cut, err := l.tokenizer.encode(longest)
	if err != nil || cut == nil {
		return nil // a text that is refused has an error of its own
	}
	return cut
}

func (l *TextLimit) longest(text string) (longest string) {
	for _, prompt := range l.templates.Prompts(text) {
		if len(prompt) > len(longest) {
			longest = prompt
		}
	}
	return longest
}
