package scoring

import (
	"cmp"
	"fmt"
	"math"
	"slices"

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
	refs   *References
	labels []entry
	// Both in the order of labels, and kept apart from them so that what every clip
	// is compared with stays in the processor's cache.
	words      []Word
	background []bool
	twins      []int32 // group of each label; -1: it has no twins, see twins
	groups     []bool  // whether the labels of a group are background
	exp        *expTable
	watch      watchCache
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
		for _, text := range l.Read() {
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
	return assemble(vocab.Vocabulary{Name: name, Labels: labels}, k, bases{}, nil), nil
}

// assemble makes a matrix of labels whose texts are all in k. What a text is near
// to is worked out once and stored in k. r may be nil: labels have no contrast.
func assemble(v vocab.Vocabulary, k known, b bases, r *References) *Matrix {
	m := &Matrix{
		Name: v.Name, Version: v.Version, Problems: v.Problems, refs: r,
		labels: make([]entry, len(v.Labels)), words: make([]Word, len(v.Labels)),
		background: make([]bool, len(v.Labels)), twins: make([]int32, len(v.Labels)), exp: newExpTable(),
	}
	for i, l := range v.Labels {
		texts := l.Texts()
		w := Word{vectors: make([][]float32, len(texts)), refs: r}
		for t, text := range texts {
			e := k[text]
			w.vectors[t] = e.vector
			if r != nil {
				w.leaveOut(e.tooClose(r))
			}
		}
		if l.Begins != "" {
			w.course = course(k[l.Begins].vector, k[l.Ends].vector)
		}
		m.dim = w.Dim()
		m.twins[i] = -1
		m.words[i], m.background[i] = w, l.Background
		m.labels[i] = entry{Label: l, novel: !b.names[vocab.Spelling(l.Name)], nearest: b.nearestTo(k[texts[0]])}
	}
	return m
}

// Scored is the result for one clip.
type Scored struct {
	// Labels are the best labels and those that are watched, highest score first.
	Labels     []topics.LabelScore
	Background float64            // sum of the scores of background labels, listed or not
	References *topics.References // what contrasts were taken against; nil: there are none
	// Logits are References.Logit of each view, with references and of ScoreViews alone.
	Logits []float64
	// InZones is whether ScoreZones has looked at zones.
	InZones bool
}

// Score compares a clip with every label. A label's similarity is the dot product with
// the most similar of its texts, its score the softmax over all labels of
// scale · similarity, its contrast that against the reference texts alone
// (Word.Contrast). Twins count once in the softmax: each has the score that it would
// have without the others. The topK most similar labels are listed (of equal ones,
// those that come first in the matrix), and the watched labels that are not among
// these, if any are watched, topics.MaxLabels at most in all. Similarities are computed
// in float32 and are the same each time. The result is empty if the matrix has no
// labels or the embedding has another length.
func (m *Matrix) Score(c Clip, scale float32, topK int, watched *Watched) Scored {
	if len(m.labels) == 0 || len(c.Mean) != m.dim {
		return Scored{}
	}
	v := m.look(c, scale, topK)
	out := Scored{Background: v.background / v.sum, References: v.references(m)}
	for _, b := range m.withWatched(c.Mean, v.best, watched) {
		out.Labels = append(out.Labels, v.result(m, b))
	}
	if len(v.groups) > 0 { // a twin may score higher than a label that is more similar
		slices.SortStableFunc(out.Labels, func(a, b topics.LabelScore) int { return cmp.Compare(b.Score, a.Score) })
	}
	return out
}

// look is a clip compared with all labels.
type look struct {
	clip  Clip
	scale float32
	best  []ranked // the most similar labels
	// Sums of exp(scale · (similarity - top)): of all labels, of the background's, and of
	// the labels of each group.
	top, sum, background float64
	groups               []float64
	logit                float64 // References.Logit; 0: there are none
}

// look compares a clip with all labels in one pass: the sums are scaled down whenever a
// higher top is found.
func (m *Matrix) look(c Clip, scale float32, topK int) look {
	best := ranking{size: max(topK, 0)}
	top, sum, background := math.Inf(-1), 0.0, 0.0
	groups := m.newGroups()
	for i := range m.words {
		similar := m.words[i].Similarity(c.Mean)
		best.offer(i, similar)
		if similar > top {
			down := m.exp.of(float64(scale) * (top - similar))
			top, sum, background = similar, sum*down, background*down
		}
		if g := m.twins[i]; g >= 0 {
			groups[g] = max(groups[g], similar)
			continue
		}
		weight := m.exp.of(float64(scale) * (similar - top))
		sum += weight
		if m.background[i] {
			background += weight
		}
	}
	for g, similar := range groups { // from here on, the weight of each
		groups[g] = m.exp.of(float64(scale) * (similar - top))
		sum += groups[g]
		if m.groups[g] {
			background += groups[g]
		}
	}
	v := look{clip: c, scale: scale, best: best.list(), top: top, sum: sum, background: background, groups: groups}
	if m.refs != nil {
		v.logit = m.refs.Logit(c.Mean, scale)
	}
	return v
}

func (v *look) references(m *Matrix) *topics.References {
	if m.refs == nil {
		return nil
	}
	return &topics.References{Hash: m.refs.Hash(), Logit: v.logit}
}

// result is what a label has.
func (v *look) result(m *Matrix, b ranked) topics.LabelScore {
	l := v.scored(m, b)
	l.Contrast = m.words[b.label].Contrast(v.clip, v.scale, v.logit)
	return l
}

// scored is what a label has but its contrast.
func (v *look) scored(m *Matrix, b ranked) topics.LabelScore {
	weight, of := math.Exp(float64(v.scale)*(b.similarity-v.top)), v.sum
	if g := m.twins[b.label]; g >= 0 {
		of = weight + max(v.sum-v.groups[g], 0)
	}
	return m.labels[b.label].scored(b.similarity, weight/of)
}

// Dot is the dot product of two vectors of one length. It uses the processor's vector
// instructions. The order of its additions, and so the last bits of the result,
// depends on the alignment of b; embeddings are allocations of their own and so are
// all aligned alike.
func Dot(a, b []float32) float32 {
	return gonum.Implementation{}.Sdot(len(a), a, 1, b, 1)
}

// Cosine is that of two texts, by their vectors, which have length 1; ok is false where
// one has none.
func Cosine(vectors map[string][]float32, a, b string) (cosine float64, ok bool) {
	x, y := vectors[a], vectors[b]
	if x == nil || y == nil {
		return 0, false
	}
	return float64(Dot(x, y)), true
}

func (e entry) scored(similarity, score float64) topics.LabelScore {
	return topics.LabelScore{
		Label: e.Name, Similarity: similarity, Score: score, Tags: e.Tags, Background: e.Background,
		Threshold: e.Threshold, Novel: e.novel, NearestBase: e.nearest.name, NearestSimilarity: e.nearest.similarity,
	}
}
