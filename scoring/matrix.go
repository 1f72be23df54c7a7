package scoring

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/gonum"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Matrix is a vocabulary with its embeddings, ready to score clips against. It
// never changes. Matrices of one Live share their vectors.
type Matrix struct {
	Name, Version string
	Problems      []vocab.Problem

	dim    int // length of a vector
	labels []entry
	rows   []labelRows // in the order of labels
	exp    *expTable
}

// labelRows are the vectors of a label. They are kept apart from entry, so that
// what every clip is compared with stays in the processor's cache.
type labelRows struct {
	vectors    [][]float32 // of length 1, one for each of the label's texts
	background bool
}

// entry is a label with what is reported about it.
type entry struct {
	vocab.Label
	novel   bool
	nearest nearest
}

// Len is the number of labels.
func (m *Matrix) Len() int { return len(m.labels) }

// Labels are the labels that clips are scored against, in order.
func (m *Matrix) Labels() []vocab.Label {
	out := make([]vocab.Label, len(m.labels))
	for i, l := range m.labels {
		out[i] = l.Label
	}
	return out
}

// NewMatrix makes a matrix of labels that never change. vectors holds, for every
// text of the labels, a vector of length 1; all have the same dimension.
func NewMatrix(name string, labels []vocab.Label, vectors map[string][]float32) (*Matrix, error) {
	k := make(known, len(vectors))
	dim := 0
	for _, l := range labels {
		for _, text := range l.Texts() {
			v, ok := vectors[text]
			if !ok {
				return nil, fmt.Errorf("vocabulary %s: no embedding of %q", name, text)
			}
			if dim == 0 {
				dim = len(v)
			}
			if len(v) != dim || !isUnit(v) {
				return nil, fmt.Errorf("vocabulary %s: the embedding of %q is not a unit vector of %d numbers", name, text, dim)
			}
			k[text] = &embedding{vector: v}
		}
	}
	return assemble(vocab.Vocabulary{Name: name, Labels: labels}, k, bases{}), nil
}

// assemble makes a matrix of labels whose texts are all in k. The base class
// nearest to a text is worked out once and stored in k.
func assemble(v vocab.Vocabulary, k known, b bases) *Matrix {
	m := &Matrix{
		Name: v.Name, Version: v.Version, Problems: v.Problems,
		labels: make([]entry, len(v.Labels)), rows: make([]labelRows, len(v.Labels)),
		exp: newExpTable(),
	}
	for i, l := range v.Labels {
		texts := l.Texts()
		row := labelRows{vectors: make([][]float32, len(texts)), background: l.Background}
		for t, text := range texts {
			row.vectors[t] = k[text].vector
		}
		m.dim = len(row.vectors[0])
		m.rows[i] = row
		m.labels[i] = entry{Label: l, novel: !b.names[vocab.Spelling(l.Name)], nearest: b.nearestTo(k[texts[0]])}
	}
	return m
}

// Scored is the result for one clip.
type Scored struct {
	Labels     []topics.LabelScore // the best, highest score first
	Background float64             // sum of the scores of background labels, listed or not
}

// Score compares a clip embedding, [dim], with every label. A label's similarity
// is the dot product with the most similar of its texts, its score the softmax
// over all labels of scale · similarity. The topK labels with the highest scores
// are listed; of equal ones, those that come first in the matrix. Similarities
// are computed in float32 and are the same each time. The result is empty if the
// matrix has no labels or the embedding has another length.
func (m *Matrix) Score(clip []float32, scale float32, topK int) Scored {
	if len(m.labels) == 0 || len(clip) != m.dim {
		return Scored{}
	}
	// Softmax in one pass: the sums are of exp(scale · (similarity - top)), and are
	// scaled down whenever a higher top is found.
	best := ranking{size: max(topK, 0)}
	top, sum, background := math.Inf(-1), 0.0, 0.0
	for i, row := range m.rows {
		similar := row.similarity(clip)
		best.offer(i, similar)
		if similar > top {
			down := m.exp.of(float64(scale) * (top - similar))
			top, sum, background = similar, sum*down, background*down
		}
		weight := m.exp.of(float64(scale) * (similar - top))
		sum += weight
		if row.background {
			background += weight
		}
	}
	out := Scored{Background: background / sum}
	for _, b := range best.list() {
		score := math.Exp(float64(scale)*(b.similarity-top)) / sum
		out.Labels = append(out.Labels, m.labels[b.label].scored(b.similarity, score))
	}
	return out
}

func (r labelRows) similarity(clip []float32) float64 {
	best := dot(clip, r.vectors[0])
	for _, v := range r.vectors[1:] {
		best = max(best, dot(clip, v))
	}
	return float64(best)
}

// dot uses the processor's vector instructions. The order of its additions, and
// so the last bits of the result, depends on the alignment of b; embeddings are
// allocations of their own and so are all aligned alike.
func dot(a, b []float32) float32 {
	return gonum.Implementation{}.Sdot(len(a), a, 1, b, 1)
}

func (e entry) scored(similarity, score float64) topics.LabelScore {
	return topics.LabelScore{
		Label: e.Name, Similarity: similarity, Score: score, Tags: e.Tags, Background: e.Background,
		Threshold: e.Threshold, Novel: e.novel, NearestBase: e.nearest.name, NearestSimilarity: e.nearest.similarity,
	}
}
