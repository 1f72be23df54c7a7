package froster

import "fmt"

// CutError says that a model reads only the beginning of a text.
type CutError struct {
	Word  string // the first that is not read to its end, as the model reads it: in lower case
	Limit int    // tokens
}

func (e *CutError) Error() string {
	return fmt.Sprintf("the model reads %d tokens of a text, and this one is not read from %q on: make it shorter", e.Limit, shorten(e.Word, 40))
}

// Cut is a *CutError if not all of a class text is read. Of several prompts that are cut, it
// is about the one of which the least is read.
func (m *Model) Cut(text string) error {
	if !m.tokenizer.cuts {
		return nil
	}
	longest := ""
	for _, prompt := range m.templates.Prompts(text) {
		if len(prompt) > len(longest) {
			longest = prompt
		}
	}
	if len(longest)+2 <= m.bundle.Dims.Context {
		return nil // a token is at least a byte
	}
	_, word, err := m.tokenizer.encode(longest)
	if err != nil || word == "" {
		return nil // a text that is refused has an error of its own
	}
	return &CutError{Word: word, Limit: m.bundle.Dims.Context}
}
