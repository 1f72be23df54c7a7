package console

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const (
	// maxAdvised bounds the labels that are checked: a larger vocabulary gets no advice.
	maxAdvised = 2000
	// compareTime is how long an infer that is busy is waited for.
	compareTime = time.Second
	// againAdvised is when advice that the model did not take part in is worked out anew.
	againAdvised = 30 * time.Second
)

// advised is the advice on a version of a vocabulary. Its turn guards it.
type advised struct {
	name, version string
	of            map[string][]Advice
	byModel       bool
	at            time.Time
}

// readerOf is how the model that infer workers have for a vocabulary reads labels; where
// Redis does not say it, what is known of every model.
func (c *Console) readerOf(ctx context.Context, vocabulary string) (vocab.Reader, error) {
	reader, err := c.reader()
	if err != nil || c.Redis == nil {
		return reader, err
	}
	soon, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	if of, err := words.OfModel(soon, vocab.NewStore(c.Redis, c.Config.Redis.Prefix), vocabulary, reader); err == nil {
		reader = of
	}
	return reader, nil
}

// advice is how the model may read the labels of a vocabulary, by label. It is worked out
// once for each version.
func (c *Console) advice(ctx context.Context, v vocab.Vocabulary) map[string][]Advice {
	if len(v.Labels) > maxAdvised {
		return nil
	}
	select {
	case c.advising <- struct{}{}:
		defer func() { <-c.advising }()
	case <-ctx.Done():
		return nil
	}
	a := &c.advised
	if a.name == v.Name && a.version == v.Version && (a.byModel || time.Since(a.at) < againAdvised) {
		return a.of
	}
	reader, err := c.readerOf(ctx, v.Name)
	if err != nil {
		c.Logger.ErrorContext(ctx, "no advice on words", "error", err)
		return nil
	}
	soon, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	if cosine, err := words.Cosines(soon, c.Redis, c.Config.Redis.Prefix, v); err == nil { // otherwise words are compared
		reader.Cosine = cosine
	}
	*a = advised{v.Name, v.Version, map[string][]Advice{}, reader.Cosine != nil, time.Now()}
	for _, one := range vocab.Lint(v.Labels, v.Labels, reader) {
		a.of[one.Label] = append(a.of[one.Label], Advice{one.Column, topics.Clean(one.Text)})
	}
	return a.of
}
