package words

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Asker asks the recorded past about words. An infer worker that has the model of the
// newest recordings embeds them, unless they were embedded before.
type Asker struct {
	Past   calibrate.Past
	Client redis.UniversalClient
	Prefix string // of Redis's keys
	Now    time.Time
}

// Embedder is what embeds texts for the model of the newest recordings of a range.
func (a Asker) Embedder(ctx context.Context, g archive.Range) (*scoring.Remote, calibrate.Model, error) {
	m, err := calibrate.Newest(ctx, a.Past, g, a.Now)
	if errors.Is(err, calibrate.ErrNothing) && len(g.Cameras) > 0 {
		err = fmt.Errorf("%w by a camera that matches %q", err, g.Cameras)
	}
	if err != nil {
		return nil, m, err
	}
	r, err := a.Remote(m)
	return r, m, err
}

// Remote is what embeds texts for a model.
func (a Asker) Remote(m calibrate.Model) (*scoring.Remote, error) {
	return scoring.NewRemote(scoring.RemoteOptions{Client: a.Client, Prefix: a.Prefix, Model: m.ID, Dim: m.Dims})
}

// Words embeds labels for the model of the newest recordings of a range.
func (a Asker) Words(ctx context.Context, g archive.Range, labels ...vocab.Label) (*calibrate.Words, error) {
	r, m, err := a.Embedder(ctx, g)
	if err != nil {
		return nil, err
	}
	return calibrate.NewWords(ctx, r, m, labels)
}

// WordsFor embeds labels for recordings of a model.
func (a Asker) WordsFor(ctx context.Context, m calibrate.Model, labels ...vocab.Label) (*calibrate.Words, error) {
	r, err := a.Remote(m)
	if err != nil {
		return nil, err
	}
	return calibrate.NewWords(ctx, r, m, labels)
}

// Like is a query for clips that are like one, with the recording of that one; by one of
// its views, empty: by the first.
func (a Asker) Like(ctx context.Context, clip string, view topics.View) (calibrate.Query, topics.Recognition, error) {
	rec, err := calibrate.Clip(ctx, a.Past, clip)
	if err != nil {
		return calibrate.Query{}, rec, err
	}
	q := calibrate.Query{Like: rec.Embedding, Model: calibrate.Model{ID: rec.Model, Dims: len(rec.Embedding)}}
	if view != "" {
		q.Like, err = calibrate.InView(rec, view)
	}
	return q, rec, err
}

// Label is a label of the vocabulary by its name, with what else the vocabulary has of it;
// a name alone where it has none.
func Label(labels []vocab.Label, name string) vocab.Label {
	i := slices.IndexFunc(labels, func(l vocab.Label) bool { return strings.EqualFold(l.Name, strings.TrimSpace(name)) })
	if i < 0 {
		return vocab.Label{Name: name}
	}
	label := labels[i]
	if label.Name != name { // the name that was asked for is a wording too
		label.Aliases = append([]string{label.Name}, label.Aliases...)
		label.Name = name
	}
	return label
}

// ErrNoContrast says that the recordings have nothing that a contrast is taken against.
var ErrNoContrast = errors.New("the newest recordings have no references to take a contrast against: they come from an infer worker of an older version")
