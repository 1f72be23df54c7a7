package eval

import (
	"context"
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// listedBest is how many of a video's best classes are kept.
const listedBest = 5

// answer is what the model says about one video.
type answer struct {
	best  []int     // classes, the best first
	score float64   // of the best, softmax over all classes
	all   []float32 // the scores of all classes, if misses are measured
}

// right reports whether label is among the first n answers.
func (a answer) right(label, n int) bool {
	for _, class := range a.best[:min(n, len(a.best))] {
		if class == label {
			return true
		}
	}
	return false
}

// sheet is a split's classes, ready to score, and the answers so far; a video
// without one has nil.
type sheet struct {
	split   Split
	matrix  *scoring.Matrix
	places  map[string]int // indexes of classes by the matrix's label
	answers []*answer
	// every is whether the scores of all classes are kept: 4 bytes for each class and video.
	every bool
}

// sheets embeds the texts of all splits' classes, except those that the store
// has.
func (r *Runner) sheets(ctx context.Context, s *store, p Plan) ([]*sheet, error) {
	var out []*sheet
	for _, g := range p.Groups {
		for _, split := range g.Splits {
			labels, places := labelsOf(split.Classes), map[string]int{}
			for i, l := range labels {
				places[l.Name] = i
			}
			vectors, err := r.embedTexts(ctx, s, labels)
			if err != nil {
				return nil, fmt.Errorf("embed the classes of %s: %w", split.Name, err)
			}
			matrix, err := scoring.NewMatrix(split.Name, labels, vectors)
			if err != nil {
				return nil, fmt.Errorf("embed the classes of %s: %w", split.Name, err)
			}
			out = append(out, &sheet{split, matrix, places, make([]*answer, len(split.Videos)), len(r.Rates) > 0})
		}
	}
	return out, nil
}

func labelsOf(classes []Class) []vocab.Label {
	labels := make([]vocab.Label, len(classes))
	for i, c := range classes {
		labels[i] = c.label()
	}
	return labels
}

// textsAtOnce bounds how much is lost when a run is interrupted.
const textsAtOnce = 32

func (r *Runner) embedTexts(ctx context.Context, s *store, labels []vocab.Label) (map[string][]float32, error) {
	vectors := map[string][]float32{}
	keyOf := func(text string) key {
		return key{Model: r.Model.ID(), Text: text, Templates: strings.Join(r.Templates, "\n")}
	}
	var missing []string
	for _, l := range labels {
		for _, text := range l.Texts() {
			if v, ok := s.get(keyOf(text)); ok {
				vectors[text] = v
			} else if _, asked := vectors[text]; !asked {
				vectors[text], missing = nil, append(missing, text)
			}
		}
	}
	for all := len(missing); len(missing) > 0; {
		r.Progress(Progress{Texts: all - len(missing), AllTexts: all})
		few := missing[:min(textsAtOnce, len(missing))]
		missing = missing[len(few):]
		found, problems, err := r.embedLabels(ctx, few)
		if err != nil {
			return nil, err
		}
		for i, text := range few {
			if problems[i] != nil {
				return nil, problems[i]
			}
			vectors[text] = found[i]
			if err := s.put(keyOf(text), found[i]); err != nil {
				return nil, err
			}
		}
	}
	return vectors, nil
}

func (r *Runner) embedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error) {
	if len(r.Templates) > 0 {
		return r.Model.EmbedLabelsBy(ctx, r.Templates, texts)
	}
	return r.Model.EmbedLabels(ctx, texts)
}

// take scores a video's embedding for one of its rows. Scoring the mean of the
// views' embeddings gives the same as FROSTER, which adds up the views' logits,
// because a logit is linear in the embedding.
func (s *sheet) take(row int, embedding []float32, scale float32) *answer {
	listed := listedBest
	a := &answer{}
	if s.every {
		listed = s.matrix.Len()
		a.all = make([]float32, len(s.split.Classes))
	}
	scored := s.matrix.Score(scoring.Clip{Mean: embedding}, scale, listed, nil)
	for i, l := range scored.Labels {
		if i == 0 {
			a.score = l.Score
		}
		if s.every {
			a.all[s.places[l.Label]] = float32(l.Score)
		}
		if i >= listedBest {
			continue
		}
		a.best = append(a.best, s.places[l.Label])
	}
	s.answers[row] = a
	return a
}
