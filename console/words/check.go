package words

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/vocab"
)

// maxBeside is how many labels of the vocabulary, the closest ones, a phrase is
// compared with: each of them is compared with every clip.
const maxBeside = 200

// CheckOptions say what to check. All but Range are required.
type CheckOptions struct {
	Label   vocab.Label
	Others  []vocab.Label // of the vocabulary
	Reader  vocab.Reader  // of NewReader
	Range   archive.Range
	Raise   float64 // contrast from which on a clip counts
	Closest int     // how many of the closest clips to list
}

// Checked is what is known of a word.
type Checked struct {
	*calibrate.Checked
	Words       *calibrate.Words // the word, then other labels
	Model       calibrate.Model
	OtherLabels int // how many the vocabulary has beside it
	Advice      []vocab.Advice
	Closest     []calibrate.Hit
}

// Check compares the recorded past with a word.
func (a Asker) Check(ctx context.Context, o CheckOptions) (out Checked, err error) {
	if err := Fits(o.Reader, o.Label); err != nil {
		return out, fmt.Errorf("check %.80q: %w", o.Label.Name, err)
	}
	remote, model, err := a.Embedder(ctx, o.Range)
	if err != nil {
		return out, err
	}
	phrase, err := calibrate.NewPhrase(ctx, remote, model, o.Label, o.Others, maxBeside)
	if err != nil {
		return out, err
	}
	if !phrase.Words.HasContrast() {
		return out, ErrNoContrast
	}
	o.Reader.Cosine = phrase.Cosine
	out = Checked{
		Words: phrase.Words, Model: model, OtherLabels: phrase.Other,
		Advice: append([]vocab.Advice{}, vocab.Lint([]vocab.Label{o.Label}, o.Others, o.Reader)...),
	}
	if out.Checked, err = calibrate.Check(ctx, calibrate.CheckOptions{Past: a.Past, Phrase: phrase, Range: o.Range, Raise: o.Raise}); err != nil {
		return out, err
	}
	found, err := calibrate.Search(ctx, calibrate.SearchOptions{Query: calibrate.Query{Words: phrase.Words}, Past: a.Past, Range: o.Range, Limit: o.Closest, Measure: "contrast"})
	if err != nil {
		return out, err
	}
	out.Closest = found.Hits
	return out, nil
}

// Fits says why the model would skip a label.
func Fits(r vocab.Reader, l vocab.Label) error {
	for _, text := range l.Read() {
		if err := r.Fits(text); err != nil {
			return fmt.Errorf("%w: shorten it", err)
		}
	}
	return nil
}
