// Package words is what is known of a word before it is watched for: how the model reads
// it, and what the recorded past has of it. The page and the commands share it.
package words

import (
	"context"
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/vocab"
)

// NewReader is what is known of every model: CLIP's tokenizer, the context and templates of
// FROSTER, and the words of class lists, references and known, which are texts that labels
// are made of.
func NewReader(known ...string) (vocab.Reader, error) {
	words := map[string]int{}
	learn := func(text string) {
		for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && r != '\'' }) {
			words[w]++
		}
	}
	for _, name := range eval.BuiltIn() {
		classes, err := eval.BuiltInClasses(name)
		if err != nil {
			return vocab.Reader{}, err
		}
		learn(strings.Join(classes, " "))
	}
	learn(strings.Join(froster.NeutralSentences(), " "))
	learn(strings.Join(known, " "))
	return reading(vocab.Reader{Words: words}, vocab.Reads{})
}

// OfModel is the reader of the model that infer workers have for a vocabulary, as far as
// they say how it reads; else the reader as it is, which knows what all models share.
func OfModel(ctx context.Context, s *vocab.Store, name string, r vocab.Reader) (vocab.Reader, error) {
	force, err := s.InForce(ctx, name)
	if err != nil {
		return r, err
	}
	reads := vocab.ReadsOf(force)
	if reads.Tokens == 0 {
		return r, nil
	}
	return reading(r, reads)
}

// reading is the reader with what depends on how a model reads texts.
func reading(r vocab.Reader, of vocab.Reads) (vocab.Reader, error) {
	limit, err := froster.NewTextLimit(of)
	if err != nil {
		return r, err
	}
	r.Pieces = func(word string) int {
		ids, err := limit.Encode(word)
		if err != nil {
			return limit.Tokens()
		}
		return len(ids) - 2
	}
	r.Fits = func(text string) error {
		if limit.Skipped(text) == nil {
			return nil
		}
		return fmt.Errorf("with the words that are put around it, it is longer than the %d tokens that the model reads", limit.Tokens())
	}
	r.Cut = limit.Cut
	return r, nil
}
