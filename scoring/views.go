package scoring

import (
	"cmp"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// ScoreViews compares several views of one clip with every label, each as Score does. A
// label has what it has in the view with its highest contrast, without references with
// its highest score, and View is that view's index. The topK labels with the highest
// scores are listed, and the watched ones. Background is the lowest of the views':
// where something happens, the view that shows it has least background. References
// are those of the first view.
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
	looks := make([]look, len(views))
	for i, c := range views {
		looks[i] = m.look(c, scale, topK)
	}
	out := m.together(looks)
	named := m.watched(watched)
	for _, i := range m.listed(looks, named) {
		out.Labels = append(out.Labels, m.bestOf(looks, i))
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

// together is what is said of all labels.
func (m *Matrix) together(looks []look) Scored {
	out := Scored{References: looks[0].references(m)}
	for i, v := range looks {
		if share := v.background / v.sum; i == 0 || share < out.Background {
			out.Background = share
		}
		if m.refs != nil {
			out.Logits = append(out.Logits, v.logit)
		}
	}
	return out
}

// listed are the labels that may be listed, by index, ascending: the most similar of each
// view, and the watched ones.
func (m *Matrix) listed(looks []look, watched []int) []int {
	out := slices.Clone(watched)
	for _, v := range looks {
		for _, b := range v.best {
			out = append(out, b.label)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bestOf is what label i has in its best view.
func (m *Matrix) bestOf(looks []look, i int) (best topics.LabelScore) {
	for n := range looks {
		l := looks[n].result(m, ranked{i, m.words[i].Similarity(looks[n].clip.Mean)})
		l.View = n
		if n == 0 || l.Contrast > best.Contrast || m.refs == nil && l.Score > best.Score {
			best = l
		}
	}
	return best
}
