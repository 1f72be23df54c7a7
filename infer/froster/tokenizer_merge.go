package froster

import "strings"

// Bounds on the words whose tokens are cached. The prompts of a label repeat
// the same few words.
const (
	mergedWords = 4096
	mergedBytes = 64 // of one word
)

// word returns the tokens of a word. The caller must not change them.
func (t *Tokenizer) word(word string) []int32 {
	if len(word) > mergedBytes {
		return t.merge(word)
	}
	t.mu.Lock()
	tokens := t.merged[word]
	t.mu.Unlock()
	if tokens != nil {
		return tokens
	}
	tokens = t.merge(word)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.merged) >= mergedWords {
		clear(t.merged)
	}
	t.merged[strings.Clone(word)] = tokens // a clone, so that the text around it can be freed
	return tokens
}

// merge splits a word into tokens of the table. It starts with the word's
// bytes; again and again, the pair that comes first in the table is joined
// everywhere.
func (t *Tokenizer) merge(word string) []int32 {
	tokens := make([]int32, len(word))
	for i := range len(word) {
		tokens[i] = t.letters[word[i]]
	}
	if len(tokens) == 0 {
		return nil
	}
	tokens[len(tokens)-1] += atEnd
	for {
		best, joined := [2]int32{}, int32(-1)
		for i := range len(tokens) - 1 {
			pair := [2]int32{tokens[i], tokens[i+1]}
			// Tokens are numbered in the order of the table.
			if token, ok := t.pairs[pair]; ok && (joined < 0 || token < joined) {
				best, joined = pair, token
			}
		}
		if joined < 0 {
			return tokens
		}
		tokens = join(tokens, best, joined)
	}
}

// join replaces each occurrence of a pair with one token, in place.
func join(tokens []int32, pair [2]int32, joined int32) []int32 {
	out := tokens[:0]
	for i := 0; i < len(tokens); i++ {
		if i+1 < len(tokens) && tokens[i] == pair[0] && tokens[i+1] == pair[1] {
			out = append(out, joined)
			i++
			continue
		}
		out = append(out, tokens[i])
	}
	return out
}
