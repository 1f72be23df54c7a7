package console

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type wordAlertsOutput struct {
	Body struct {
		Words map[string]*Judged `json:"words" doc:"labels of the vocabulary that had alerts"`
		From  time.Time          `json:"from" doc:"begin of the week"`
		Whole bool               `json:"whole" doc:"false: reading took too long; asked again, it goes on"`
	}
}

// getWordAlerts counts the alerts of the last seven days that who asks sees, by label.
func (c *Console) getWordAlerts(ctx context.Context, in *VocabularyInput) (*wordAlertsOutput, error) {
	s, name, err := c.words(ctx, in.Vocabulary)
	if err != nil {
		return nil, err
	}
	soon, cancel := context.WithTimeout(ctx, wordsTime)
	defer cancel()
	v, err := s.List(soon, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	labels := make(map[uint64]string, len(v.Labels))
	for _, l := range v.Labels {
		labels[c.lately.labelHash(name, l.Name)] = l.Name
	}
	out, now, see := &wordAlertsOutput{}, time.Now(), c.sightOf(ctx)
	b := &out.Body
	b.Words, b.From = map[string]*Judged{}, dayOf(now).Add(-(weekDays-1)*day)
	b.Whole, err = c.countRaised(ctx, weekDays, now, func(a raised, of about, back int, isTrue, marked bool) {
		label, known := labels[a.label]
		if !known || back >= weekDays || !see.alert(of) {
			return
		}
		if b.Words[label] == nil {
			b.Words[label] = &Judged{}
		}
		b.Words[label].add(isTrue, marked)
	})
	if err != nil {
		return nil, huma.Error503ServiceUnavailable("the alerts can't be counted: " + c.reason(ctx, err))
	}
	return out, nil
}
