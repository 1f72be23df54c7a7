package scoring

import (
	"cmp"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// View is a clip as it is seen in one of its views, with the References.Logit of that
// view; NaN if it is not known.
type View struct {
	Clip
	Logit float64
}

// Seen is what a word has in the view, of several of one clip, that counts.
type Seen struct {
	Similarity, Contrast float64
	View                 int // index of the view
}

// Best compares the word with the views of one clip, at least one, each alone. Of them
// the one with the highest contrast counts, without references the one with the highest
// similarity; of equal ones the first. So the past is scored as clips are live.
func (w *Word) Best(views []View, scale float32) (best Seen) {
	for n := range views {
		similarity, contrast := w.Compare(views[n].Clip, scale, views[n].Logit)
		if n == 0 || contrast > best.Contrast || w.refs == nil && similarity > best.Similarity {
			best = Seen{similarity, contrast, n}
		}
	}
	return best
}

// MostSimilar is the word's highest similarity with a view of a clip, and that view's
// index.
func (w *Word) MostSimilar(views []View) (similarity float64, view int) {
	for n := range views {
		if s := w.Similarity(views[n].Mean); n == 0 || s > similarity {
			similarity, view = s, n
		}
	}
	return similarity, view
}

// ScoreViews compares several views of one clip with every label, each as Score does. A
// label has what it has in the view with its highest contrast (Word.Best), without
// references in that with its highest score, and View is that view's index. The topK
// labels with the highest scores are listed, and the watched ones. Background is the
// lowest of the views': where something happens, the view that shows it has least
// background. References are those of the first view.
func (m *Matrix) ScoreViews(views []Clip, scale float32, topK int, watched *Watched) Scored {
	if len(m.labels) == 0 || slices.ContainsFunc(views, func(c Clip) bool { return len(c.Mean) != m.dim }) {
		return Scored{}
	}
	if len(views) == 1 {
		out := m.Score(views[0], scale, topK, watched)
		if out.References != nil {
			out.Logits = []float64{out.References.Logit}
		}
		return out
	}
	s := newSights(m, views, scale, topK)
	out := s.together()
	named := m.watched(watched)
	for _, i := range s.listed(named) {
		out.Labels = append(out.Labels, s.bestOf(i))
	}
	slices.SortStableFunc(out.Labels, func(a, b topics.LabelScore) int { return cmp.Compare(b.Score, a.Score) })
	if more := len(out.Labels); more > topK {
		keep := make(map[string]bool, len(named))
		for _, i := range named {
			keep[m.labels[i].Name] = true
		}
		rest := slices.DeleteFunc(slices.Clone(out.Labels[topK:]), func(l topics.LabelScore) bool { return !keep[l.Label] })
		out.Labels = append(out.Labels[:topK], rest...)
	}
	out.Labels = out.Labels[:min(len(out.Labels), topics.MaxLabels)]
	return out
}

// sights are the views of one clip, compared with all labels.
type sights struct {
	m     *Matrix
	looks []look
	views []View // the same, as words are compared with them
}

func newSights(m *Matrix, views []Clip, scale float32, topK int) *sights {
	s := &sights{m: m}
	for _, c := range views {
		l := m.look(c, scale, topK)
		s.looks, s.views = append(s.looks, l), append(s.views, View{c, l.logit})
	}
	return s
}

// together is what is said of all labels.
func (s *sights) together() Scored {
	out := Scored{References: s.looks[0].references(s.m)}
	for i, v := range s.looks {
		if share := v.background / v.sum; i == 0 || share < out.Background {
			out.Background = share
		}
		if s.m.refs != nil {
			out.Logits = append(out.Logits, v.logit)
		}
	}
	return out
}

// listed are the labels that may be listed, by index, ascending: the most similar of each
// view, and the watched ones.
func (s *sights) listed(watched []int) []int {
	out := slices.Clone(watched)
	for _, v := range s.looks {
		for _, b := range v.best {
			out = append(out, b.label)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bestOf is what label i has in its best view.
func (s *sights) bestOf(i int) (best topics.LabelScore) {
	word := &s.m.words[i]
	if s.m.refs != nil {
		seen := word.Best(s.views, s.looks[0].scale)
		best = s.looks[seen.View].scored(s.m, ranked{i, seen.Similarity})
		best.Contrast, best.View = seen.Contrast, seen.View
		return best
	}
	for n := range s.looks {
		l := s.looks[n].scored(s.m, ranked{i, word.Similarity(s.looks[n].clip.Mean)})
		if l.View = n; n == 0 || l.Score > best.Score {
			best = l
		}
	}
	return best
}
