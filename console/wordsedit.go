package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

type putWordInput struct {
	VocabularyInput
	Body struct {
		Label string `json:"label" maxLength:"256"`
		Definition
		Was *string `json:"was,omitempty" maxLength:"8192" doc:"its value when it was read; where it is another one by now, nothing is changed. Empty text: it was not there, or had no value"`
	}
}

// EditedWords is what became of an edit.
type EditedWords struct {
	Vocabulary string      `json:"vocabulary"`
	Version    string      `json:"version"`
	Changes    []LabelEdit `json:"changes" doc:"none: it was so already"`
	Advice     []string    `json:"advice,omitempty" doc:"on what was added or changed"`
	Warnings   []string    `json:"warnings,omitempty" doc:"rules that name what is gone"`
}

// LabelEdit is what became of a label. Its values are as Redis has them.
type LabelEdit struct {
	Label  string  `json:"label"`
	Before *string `json:"before,omitempty" doc:"absent: it was not there"`
	After  *string `json:"after,omitempty" doc:"absent: it is gone"`
}

type editedWordsOutput struct{ Body EditedWords }

func (c *Console) putWord(ctx context.Context, in *putWordInput) (*editedWordsOutput, error) {
	label := in.Body.label(in.Body.Label)
	if err := c.soundFor(label); err != nil {
		return nil, err
	}
	return c.editWords(ctx, in.Vocabulary, "put word", func(ctx context.Context, s *vocab.Store, v vocab.Vocabulary) error {
		i := slices.IndexFunc(v.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, label.Name) })
		if in.Body.Was != nil {
			now := ""
			if i >= 0 {
				now, _ = v.Labels[i].Value() // it was parsed, so it can be written
			}
			if now != *in.Body.Was {
				return huma.Error409Conflict(fmt.Sprintf("somebody has changed %q meanwhile: look at it again", topics.Clean(label.Name)))
			}
		}
		return s.Put(ctx, v.Name, label)
	})
}

// soundFor says why a label can't be in a vocabulary.
func (c *Console) soundFor(l vocab.Label) error {
	value, err := l.Value()
	if err == nil {
		_, err = vocab.ParseLabel(l.Name, value)
	}
	if err != nil {
		return huma.Error422UnprocessableEntity(topics.Clean(err.Error()))
	}
	return nil
}

type removeWordsInput struct {
	VocabularyInput
	Body struct {
		Labels []string `json:"labels" minItems:"1" maxItems:"500"`
	}
}

func (c *Console) removeWords(ctx context.Context, in *removeWordsInput) (*editedWordsOutput, error) {
	return c.editWords(ctx, in.Vocabulary, "remove words", func(ctx context.Context, s *vocab.Store, v vocab.Vocabulary) error {
		absent, err := s.Remove(ctx, v.Name, in.Body.Labels...)
		switch {
		case errors.Is(err, vocab.ErrLast):
			return huma.Error409Conflict("no label would be left, which looks as if Redis had lost its data: add another first")
		case err == nil && len(absent) > 0:
			return huma.Error404NotFound("not in the vocabulary, so none was removed: " + topics.Clean(strings.Join(absent, ", ")))
		}
		return err
	})
}

type restoreWordsInput struct {
	VocabularyInput
	Body struct {
		Version string `json:"version" minLength:"4" maxLength:"64" doc:"of the history"`
	}
}

func (c *Console) restoreWords(ctx context.Context, in *restoreWordsInput) (*editedWordsOutput, error) {
	return c.editWords(ctx, in.Vocabulary, "restore words", func(ctx context.Context, s *vocab.Store, v vocab.Vocabulary) error {
		past, err := s.Past(ctx, v.Name)
		if err != nil {
			return err
		}
		at, err := past.Version(in.Body.Version)
		if err != nil {
			return huma.Error404NotFound(topics.Clean(err.Error()))
		}
		entries, err := past.After(at)
		switch {
		case err != nil:
			return huma.Error409Conflict(topics.Clean(err.Error()))
		case len(entries) == 0:
			return huma.Error409Conflict("this version has no labels: it is not restored")
		}
		return s.By(c.whoOf(ctx).Name, "console, restore "+past.Edits[at].Version).Restore(ctx, v.Name, entries)
	})
}

// editWords makes an edit, and says what it did.
func (c *Console) editWords(ctx context.Context, vocabulary, what string, do func(context.Context, *vocab.Store, vocab.Vocabulary) error) (*editedWordsOutput, error) {
	s, name, err := c.words(ctx, vocabulary)
	if err != nil {
		return nil, err
	}
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	before, err := s.List(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	if err := do(ctx, s, before); err != nil {
		if errors.As(err, new(huma.StatusError)) {
			return nil, err
		}
		return nil, huma.Error503ServiceUnavailable("The vocabulary can't be edited: " + topics.Clean(err.Error()))
	}
	after, err := s.List(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	changes := vocab.Changes(before, after)
	c.audit(ctx, what, "vocabulary", name, "labels", labelsOf(changes), "version", after.Version)
	return &editedWordsOutput{c.wordsEdited(ctx, before, after, changes)}, nil
}

// labelsOf names the labels of an edit, the first few of many.
func labelsOf(changes []vocab.Change) string {
	var out []string
	for _, change := range changes[:min(len(changes), 5)] {
		out = append(out, change.What+" "+topics.Clean(fmt.Sprintf("%q", change.Label)))
	}
	if more := len(changes) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

// maxEdited bounds the changes that are listed.
const maxEdited = 200

func (c *Console) wordsEdited(ctx context.Context, before, after vocab.Vocabulary, changes []vocab.Change) EditedWords {
	out := EditedWords{Vocabulary: after.Name, Version: after.Version, Changes: []LabelEdit{}}
	rules, _ := c.watching(ctx, after.Name)
	advice := c.advice(ctx, after)
	for _, change := range changes[:min(len(changes), maxEdited)] {
		out.Changes = append(out.Changes, LabelEdit{topics.Clean(change.Label), valueIn(before, change.Label), valueIn(after, change.Label)})
		if change.What == vocab.Removed && !after.Has(change.Label) {
			for _, rule := range rules.naming(change.Label) {
				out.Warnings = append(out.Warnings, fmt.Sprintf("rule %s names %q, which the vocabulary no longer has", rule, topics.Clean(change.Label)))
			}
			continue
		}
		for _, a := range advice[change.Label] {
			out.Advice = append(out.Advice, a.Column+": "+a.Text)
		}
	}
	return out
}

// valueIn is a label's value, nil where there is none.
func valueIn(v vocab.Vocabulary, label string) *string {
	i := slices.IndexFunc(v.Labels, func(l vocab.Label) bool { return l.Name == label })
	if i < 0 {
		return nil
	}
	value, err := v.Labels[i].Value()
	if err != nil {
		return nil
	}
	value = topics.Clean(value)
	return &value
}
