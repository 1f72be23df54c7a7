package calibrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// Phrase is a label made ready to be checked, with the labels of a vocabulary that it
// is compared with. It never changes.
type Phrase struct {
	Words   *Words    // the phrase, then the other labels, the closest first
	Cosines []float64 // of the phrase and each of Words
	Other   int       // how many other labels the model takes
	vectors map[string][]float32
}

// NewPhrase embeds a phrase and the other labels of a vocabulary for recordings of a
// model. It is compared with those of the labels, most at the most, whose texts are
// closest to its own. Labels that the model does not take are left out.
func NewPhrase(ctx context.Context, e Embedder, m Model, phrase vocab.Label, others []vocab.Label, most int) (*Phrase, error) {
	texts := phrase.Read()
	for _, l := range others {
		texts = append(texts, l.Read()...)
	}
	vectors, refused, err := e.Of(ctx, texts)
	if err != nil {
		return nil, err
	}
	type near struct {
		vocab.Label
		cosine float64
	}
	p := &Phrase{vectors: vectors}
	var all []near
	for _, l := range others {
		if slices.ContainsFunc(l.Read(), func(text string) bool { return refused[text] != nil || vectors[text] == nil }) {
			continue
		}
		all = append(all, near{l, p.closest(phrase, l)})
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(b.cosine, a.cosine) })
	p.Other = len(all)
	labels := []vocab.Label{phrase}
	p.Cosines = []float64{1}
	for _, n := range all[:min(most, len(all))] {
		labels, p.Cosines = append(labels, n.Label), append(p.Cosines, n.cosine)
	}
	if p.Words, err = newWords(ctx, e, m, labels, vectors, refused); err != nil {
		return nil, fmt.Errorf("check %.80q: %w", phrase.Name, err)
	}
	return p, nil
}

// closest is the cosine of the most similar texts of two labels.
func (p *Phrase) closest(a, b vocab.Label) float64 {
	best := -1.0
	for _, x := range a.Texts() {
		for _, y := range b.Texts() {
			if c, ok := p.Cosine(x, y); ok {
				best = max(best, c)
			}
		}
	}
	return best
}

// Cosine is that of two texts of the phrase or the other labels; ok is false for any
// other text.
func (p *Phrase) Cosine(a, b string) (cosine float64, ok bool) {
	return scoring.Cosine(p.vectors, a, b)
}
