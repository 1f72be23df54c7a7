package console

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

type historyInput struct {
	VocabularyInput
	Label string `query:"label" maxLength:"256" doc:"only what was done to this label"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// History are the edits of a vocabulary.
type History struct {
	Edits []Edit `json:"edits" doc:"the newest first"`
	More  bool   `json:"more,omitempty" doc:"there are older ones"`
}

// Edit is one edit.
type Edit struct {
	Time    time.Time   `json:"time" doc:"of one made with another program, when it was noticed"`
	By      string      `json:"by,omitempty"`
	Note    string      `json:"note,omitempty" doc:"what it was made with"`
	Version string      `json:"version" doc:"that it led to"`
	Begins  bool        `json:"begins,omitempty" doc:"the history begins here"`
	Changes []LabelEdit `json:"changes"`
	More    int         `json:"more,omitempty" doc:"changes that are not listed"`
}

type wordsHistoryOutput struct{ Body History }

// maxShown bounds the changes that are listed of an edit.
const maxShown = 50

func (c *Console) wordsHistory(ctx context.Context, in *historyInput) (*wordsHistoryOutput, error) {
	s, name, err := c.words(ctx, in.Vocabulary)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, wordsTime)
	defer cancel()
	past, err := s.Past(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	out := &wordsHistoryOutput{History{Edits: []Edit{}}}
	for i := len(past.Edits) - 1; i >= 0; i-- {
		one, about := shownEdit(past.Edits[i], in.Label)
		if !about {
			continue
		}
		if len(out.Body.Edits) >= in.Limit {
			out.Body.More = true
			break
		}
		out.Body.Edits = append(out.Body.Edits, one)
	}
	return out, nil
}

// shownEdit is an edit with its changes of a label alone, if one is named; about: it has any.
func shownEdit(e vocab.Edit, label string) (out Edit, about bool) {
	out = Edit{Time: e.Time.UTC(), By: topics.Clean(e.By), Note: topics.Clean(e.Note), Version: topics.Clean(e.Version), Begins: e.Begins, Changes: []LabelEdit{}}
	for _, change := range e.Changes {
		switch {
		case label != "" && !vocab.SameLabel(change.Label, label):
		case len(out.Changes) >= maxShown:
			out.More++
		default:
			out.Changes = append(out.Changes, LabelEdit{topics.Clean(change.Label), cleanedText(change.Before), cleanedText(change.After)})
		}
	}
	return out, label == "" || len(out.Changes) > 0
}

func cleanedText(text *string) *string {
	if text == nil {
		return nil
	}
	out := topics.Clean(*text)
	return &out
}
