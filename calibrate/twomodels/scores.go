package twomodels

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// maxValues bounds the contrasts that are in memory, 16 bytes each.
const maxValues = 20_000_000

// words are the labels of one vocabulary, ready for both models.
type words struct {
	labels []vocab.Label
	of     [2]*calibrate.Words
}

// scores compares each clip with the labels of its camera's vocabulary.
func (c *comparison) scores(ctx context.Context, r *Result) error {
	ready := map[string]*words{}
	cameras, labels := map[string]*Camera{}, map[string]*contrasts{}
	var differ []Difference
	unread := map[string]bool{}
	for _, p := range c.pairs {
		rec := p.of[0]
		v := c.Vocabulary(rec.Camera, rec.Tags)
		if v == nil {
			unread[rec.Camera] = true
			continue
		}
		w, known := ready[v.Name]
		if !known {
			var err error
			if w, err = c.ready(ctx, r, v); err != nil {
				return err
			}
			ready[v.Name] = w
		}
		if len(w.labels) == 0 {
			continue
		}
		at := cameras[rec.Camera]
		if at == nil {
			at = &Camera{Camera: rec.Camera}
			cameras[rec.Camera] = at
		}
		d, same := w.score(p, labels)
		if at.Clips++; same {
			at.Same++
		}
		differ = append(differ, d)
	}
	for camera := range unread {
		r.note("the vocabulary of camera %s can't be read", camera)
	}
	slices.Sort(r.Notes)
	for _, name := range slices.Sorted(maps.Keys(cameras)) {
		r.Cameras = append(r.Cameras, *cameras[name])
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		r.Labels = append(r.Labels, labels[name].label(name))
	}
	r.apart(differ)
	return nil
}

// ready embeds the labels of a vocabulary for both models. Labels that one of them does not
// take are left out.
func (c *comparison) ready(ctx context.Context, r *Result, v *vocab.Vocabulary) (*words, error) {
	w := &words{labels: slices.Clone(v.Labels)}
	for _, m := range c.models() {
		var texts []string
		for _, l := range w.labels {
			texts = append(texts, l.Read()...)
		}
		_, refused, err := m.Of(ctx, texts)
		if err != nil {
			return nil, fmt.Errorf("embed the vocabulary %s for model %s: %w", v.Name, m.Name, err)
		}
		w.labels = slices.DeleteFunc(w.labels, func(l vocab.Label) bool {
			i := slices.IndexFunc(l.Read(), func(t string) bool { return refused[t] != nil })
			if i >= 0 {
				r.note("label %q is left out: model %s does not take it: %v", l.Name, m.Name, refused[l.Read()[i]])
			}
			return i >= 0
		})
	}
	if len(w.labels)*len(c.pairs) > maxValues {
		return nil, fmt.Errorf("compare the vocabulary %s with clips: %d labels and %d clips are more than fit into memory: ask for fewer clips", v.Name, len(w.labels), len(c.pairs))
	}
	for side, m := range c.models() {
		var err error
		if w.of[side], err = calibrate.NewWords(ctx, m, m.Model, w.labels); err != nil {
			return nil, fmt.Errorf("compare the vocabulary %s with clips, for model %s: %w", v.Name, m.Name, err)
		}
	}
	return w, nil
}

// score compares a clip with all labels, and notes their contrasts by label.
func (w *words) score(p pair, labels map[string]*contrasts) (d Difference, same bool) {
	var seen [2][]scoring.Seen
	var best [2]int
	for side := range seen {
		seen[side] = w.of[side].Seen(p.of[side])
		for i, s := range seen[side] {
			if s.Similarity > seen[side][best[side]].Similarity {
				best[side] = i
			}
		}
	}
	farthest := 0
	for i, l := range w.labels {
		all := labels[l.Name]
		if all == nil {
			all = &contrasts{}
			labels[l.Name] = all
		}
		a, b := seen[0][i].Contrast, seen[1][i].Contrast
		all.a, all.b = append(all.a, a), append(all.b, b)
		if math.Abs(a-b) > math.Abs(seen[0][farthest].Contrast-seen[1][farthest].Contrast) {
			farthest = i
		}
	}
	rec := p.of[0]
	return Difference{
		Camera: rec.Camera, Clip: rec.ClipID, Start: rec.Start, Label: w.labels[farthest].Name,
		A: seen[0][farthest].Contrast, B: seen[1][farthest].Contrast, BestA: w.labels[best[0]].Name, BestB: w.labels[best[1]].Name,
	}, best[0] == best[1]
}

// contrasts are those of a label on all clips, with each model.
type contrasts struct{ a, b []float64 }

func (c *contrasts) label(name string) Label {
	l := Label{Label: name, Clips: len(c.a)}
	for i := range c.a {
		l.A, l.B, l.Apart = l.A+c.a[i], l.B+c.b[i], l.Apart+math.Abs(c.a[i]-c.b[i])
	}
	n := float64(len(c.a))
	l.A, l.B, l.Apart = l.A/n, l.B/n, l.Apart/n
	if rank := spearman(c.a, c.b); !math.IsNaN(rank) {
		l.Rank = &rank
	}
	return l
}

// spearman is the rank correlation of two series of one length: Pearson's of their ranks,
// where equal values share the mean of theirs (Spearman, American Journal of Psychology 15,
// 1904). NaN where one has no two different values.
func spearman(a, b []float64) float64 {
	x, y := ranks(a), ranks(b)
	mean := float64(len(a)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		dx, dy := x[i]-mean, y[i]-mean
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// ranks are those of values, from 0 on.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	out := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}
