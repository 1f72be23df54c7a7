package vocab

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// Matrix is a vocabulary with its embeddings, ready to score against. It never
// changes.
type Matrix struct {
	Name, Version string
	Problems      []Problem

	dim    int
	labels []entry
	rows   []float32 // [rows, dim], unit
	owner  []int     // label of each row: a label has a row for each of its texts
}

type entry struct {
	Label
	novel       bool
	nearest     string
	nearestSims float64
}

// Len is how many labels can be recognised.
func (m *Matrix) Len() int { return len(m.labels) }

// Labels are those that can be recognised, by name.
func (m *Matrix) Labels() []Label {
	out := make([]Label, len(m.labels))
	for i, l := range m.labels {
		out[i] = l.Label
	}
	return out
}

// bases are the model's base classes with their embeddings.
type bases struct {
	names   []string
	vectors [][]float32
	known   map[string]bool
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func newMatrix(v Vocabulary, vectors map[string][]float32, b bases) *Matrix {
	m := &Matrix{Name: v.Name, Version: v.Version, Problems: v.Problems}
	for _, l := range v.Labels {
		e := entry{Label: l, novel: !b.known[fold(l.Name)]}
		for i, text := range l.texts() {
			vector := vectors[text]
			if i == 0 {
				e.nearest, e.nearestSims = b.nearest(vector)
			}
			m.dim = len(vector)
			m.rows = append(m.rows, vector...)
			m.owner = append(m.owner, len(m.labels))
		}
		m.labels = append(m.labels, e)
	}
	return m
}

func (b bases) nearest(vector []float32) (string, float64) {
	name, best := "", math.Inf(-1)
	for i, base := range b.vectors {
		if s := dot(base, vector); s > best {
			name, best = b.names[i], s
		}
	}
	if name == "" {
		return "", 0
	}
	return name, best
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// Scored is the result for one clip.
type Scored struct {
	Labels     []topics.LabelScore // the best, highest score first
	Background float64             // sum of the scores of background labels, listed or not
}

// Score compares a clip embedding, [dim], with every label: softmax over labels
// of scale · similarity, a label's similarity being that of its best text. The
// topK best are listed.
func (m *Matrix) Score(clip []float32, scale float32, topK int) Scored {
	if len(m.labels) == 0 || len(clip) != m.dim {
		return Scored{}
	}
	similar := make([]float64, len(m.labels))
	for i := range similar {
		similar[i] = math.Inf(-1)
	}
	for row, label := range m.owner {
		similar[label] = max(similar[label], dot(clip, m.rows[row*m.dim:(row+1)*m.dim]))
	}
	top, sum := slices.Max(similar), 0.0
	scores := make([]float64, len(similar))
	for i, s := range similar {
		scores[i] = math.Exp(float64(scale) * (s - top))
		sum += scores[i]
	}
	order := make([]int, len(scores))
	var out Scored
	for i := range scores {
		order[i] = i
		scores[i] /= sum
		if m.labels[i].Background {
			out.Background += scores[i]
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	for _, i := range order[:min(max(topK, 0), len(order))] {
		out.Labels = append(out.Labels, m.labels[i].scored(similar[i], scores[i]))
	}
	return out
}

func (e entry) scored(similarity, score float64) topics.LabelScore {
	return topics.LabelScore{
		Label: e.Name, Similarity: similarity, Score: score, Tags: e.Tags, Background: e.Background,
		Threshold: e.Threshold, Novel: e.novel, NearestBase: e.nearest, NearestSimilarity: e.nearestSims,
	}
}
