// Package words is what is known of a word before it is watched for: how the model reads
// it, and what the recorded past has of it. The page and the commands share it.
package words

import (
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/vocab"
)

// contextTokens is how many tokens CLIP's text models read, start and end included.
const contextTokens = 77

// NewReader is what is known of every model: CLIP's tokenizer and context, and the words
// of class lists, references and known, which are texts that labels are made of.
func NewReader(known ...string) (vocab.Reader, error) {
	tokens, err := froster.NewTokenizer(contextTokens)
	if err != nil {
		return vocab.Reader{}, err
	}
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
	return vocab.Reader{
		Words: words,
		Pieces: func(word string) int {
			ids, err := tokens.Encode(word)
			if err != nil {
				return contextTokens
			}
			return len(ids) - 2
		},
		Fits: func(text string) error { return fits(tokens, text) },
	}, nil
}

// fits says why the longest prompt around a text is too long.
func fits(tokens *froster.Tokenizer, text string) error {
	longest := ""
	for _, prompt := range froster.Prompts(text) {
		if len(prompt) > len(longest) {
			longest = prompt
		}
	}
	if _, err := tokens.Encode(longest); err != nil {
		return fmt.Errorf("with the words that are put around it, it is longer than the %d tokens that the model reads", contextTokens)
	}
	return nil
}
