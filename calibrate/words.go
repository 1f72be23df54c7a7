package calibrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Model is what recordings were made with.
type Model struct {
	ID         string
	Dims       int     // of embeddings
	Scale      float64 // logit scale; 0: not recorded
	References string  // hash of the reference texts; empty: the recordings have none
}

// ErrNothing says that a range has no recordings with embeddings.
var ErrNothing = errors.New("nothing is recorded in this time")

// Newest returns the model of the newest recording of a range. now is used for a range
// without an end.
func Newest(ctx context.Context, past Past, g archive.Range, now time.Time) (Model, error) {
	until := now
	if !g.Until.IsZero() {
		until = g.Until
	}
	for length := 10 * time.Minute; ; length *= 6 {
		look := g
		look.Since = until.Add(-length)
		last := look.Since.Before(g.Since) || length > 400*24*time.Hour
		if last {
			look.Since = g.Since
		}
		m, err := newest(ctx, past, look)
		if last || !errors.Is(err, ErrNothing) {
			return m, err
		}
	}
}

func newest(ctx context.Context, past Past, g archive.Range) (m Model, err error) {
	var at time.Time
	one := make(chan struct{}, 1) // Scan calls for several partitions at a time
	_, err = past.Scan(ctx, g, func(b archive.Batch) error {
		one <- struct{}{}
		defer func() { <-one }()
		for _, r := range b.Rows {
			if r.End.After(at) {
				at = r.End
				m = Model{ID: r.Model, Dims: b.Dims, Scale: r.LogitScale, References: r.References.Hash}
			}
		}
		return nil
	})
	if err == nil && at.IsZero() {
		err = ErrNothing
	}
	return m, err
}

// Embedder returns the vectors of texts; *scoring.Remote has it.
type Embedder interface {
	Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error)
	References(ctx context.Context, hash string) (*scoring.References, error)
}

// Words are labels made ready to be compared with recordings of one model. They never
// change.
type Words struct {
	model Model
	list  []word
	ends  bool // clips' first and last frames count
	// vocabularyOf is the vocabulary that a camera uses; nil: all words count on every
	// camera.
	vocabularyOf func(camera string, tags []string) string
}

type word struct {
	label topics.LabelScore // without values
	*scoring.Word
	in []string // vocabularies on whose cameras the word counts; nil: on all
}

// In returns the words as they count where cameras use several vocabularies. in has for
// each label the vocabularies that have it; nil: it counts on every camera. vocabularyOf
// is the vocabulary of a camera.
func (w *Words) In(in [][]string, vocabularyOf func(camera string, tags []string) string) *Words {
	out := *w
	out.list, out.vocabularyOf = slices.Clone(w.list), vocabularyOf
	for i := range out.list {
		out.list[i].in = in[i]
	}
	return &out
}

// NewWords embeds labels for recordings of a model. Where these have no references,
// the words have no contrast.
func NewWords(ctx context.Context, e Embedder, m Model, labels []vocab.Label) (*Words, error) {
	var texts []string
	for _, l := range labels {
		texts = append(texts, l.Read()...)
	}
	vectors, refused, err := e.Of(ctx, texts)
	if err != nil {
		return nil, err
	}
	return newWords(ctx, e, m, labels, vectors, refused)
}

// newWords is NewWords for labels whose texts are embedded already.
func newWords(ctx context.Context, e Embedder, m Model, labels []vocab.Label, vectors map[string][]float32, refused map[string]error) (*Words, error) {
	var refs *scoring.References
	if m.References != "" {
		var err error
		if refs, err = e.References(ctx, m.References); err != nil {
			return nil, err
		}
	}
	w := &Words{model: m}
	for _, l := range labels {
		var of [][]float32
		for _, t := range l.Texts() {
			if why := refused[t]; why != nil {
				return nil, fmt.Errorf("the model does not take %.80q: %w", t, why)
			}
			of = append(of, vectors[t])
		}
		ready, err := scoring.NewWord(of, refs)
		if err != nil {
			return nil, fmt.Errorf("label %.80q: %w", l.Name, err)
		}
		if err := w.course(ready, l, vectors, refused); err != nil {
			return nil, err
		}
		if ready.Dim() != m.Dims {
			return nil, fmt.Errorf("label %.80q has an embedding of %d numbers, recordings of model %.12s have %d", l.Name, ready.Dim(), m.ID, m.Dims)
		}
		w.list = append(w.list, word{label: topics.LabelScore{Label: l.Name, Tags: l.Tags, Background: l.Background, Threshold: l.Threshold}, Word: ready})
	}
	return w, nil
}

// course makes a word tell its label from the same action backwards, if the label
// says how it begins and ends.
func (w *Words) course(word *scoring.Word, l vocab.Label, vectors map[string][]float32, refused map[string]error) error {
	if l.Begins == "" {
		return nil
	}
	for _, t := range []string{l.Begins, l.Ends} {
		if why := refused[t]; why != nil {
			return fmt.Errorf("the model does not take %.80q: %w", t, why)
		}
	}
	w.ends = true
	if err := word.Course(vectors[l.Begins], vectors[l.Ends]); err != nil {
		return fmt.Errorf("label %.80q: %w", l.Name, err)
	}
	return nil
}

// HasContrast is whether the words have one.
func (w *Words) HasContrast() bool { return w.model.References != "" }

// values are what word i has in the best of a clip's views. scale is the logit scale that
// was recorded with the clip.
func (w *Words) values(i int, clip []scoring.View, scale float64) scoring.Seen {
	return w.list[i].Best(clip, w.scale(scale))
}

// scale is the logit scale of a clip, by what was recorded.
func (w *Words) scale(recorded float64) float32 {
	if recorded == 0 {
		recorded = w.model.Scale
	}
	return float32(recorded)
}
