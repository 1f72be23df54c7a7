package scoring

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// A label has just what it has in its best view, scored alone.
func TestTheBestViewOfALabelCounts(t *testing.T) {
	labels := []vocab.Label{{Name: "fall"}, {Name: "run"}, {Name: "sit"}, {Name: "walk", Background: true}}
	random := rand.New(rand.NewPCG(5, 6))
	for name, r := range map[string]*References{"contrast": referencesOf(t, sentences(40)...), "score": nil} {
		m := contrastMatrix(t, r, labels...)
		value := func(l topics.LabelScore) float64 {
			if r == nil {
				return l.Score
			}
			return l.Contrast
		}
		for range 50 {
			views := []Clip{{Mean: randomClip(random)}, {Mean: randomClip(random)}, {Mean: randomClip(random)}}
			got := m.ScoreViews(views, 14.3, len(labels), nil)
			if len(got.Labels) != len(labels) {
				t.Fatalf("%s: %d labels are listed", name, len(got.Labels))
			}
			if !slices.IsSortedFunc(got.Labels, func(a, b topics.LabelScore) int { return int(1e9 * (b.Score - a.Score)) }) {
				t.Errorf("%s: not in the order of scores: %+v", name, got.Labels)
			}
			least := 1.0
			for v, c := range views {
				alone := m.Score(c, 14.3, len(labels), nil)
				least = min(least, alone.Background)
				for _, l := range got.Labels {
					own := alone.Labels[slices.IndexFunc(alone.Labels, func(o topics.LabelScore) bool { return o.Label == l.Label })]
					if own.View = v; value(own) > value(l) || l.View == v && !reflect.DeepEqual(own, l) {
						t.Errorf("%s: view %d has %+v, the best is said to be %+v", name, v, own, l)
					}
				}
				if r != nil && got.Logits[v] != alone.References.Logit {
					t.Errorf("the logit of view %d is %v, want %v", v, got.Logits[v], alone.References.Logit)
				}
			}
			if got.Background != least {
				t.Errorf("%s: background %v, want %v", name, got.Background, least)
			}
		}
	}
}

// Of the labels that are not among the best of any view, only the watched are listed.
func TestBestOfAllViewsAndWatchedLabelsAreListed(t *testing.T) {
	var labels []vocab.Label
	for _, name := range sentences(30) {
		labels = append(labels, vocab.Label{Name: name})
	}
	m := contrastMatrix(t, referencesOf(t, "one", "two", "three"), labels...)
	views := []Clip{{Mean: vectorOf("sentence 3")}, {Mean: vectorOf("sentence 7")}, {Mean: vectorOf("sentence 20")}}
	got := m.ScoreViews(views, 100, 3, NewWatched([]string{"sentence 11"}, nil, false))
	var names []string
	for _, l := range got.Labels {
		names = append(names, l.Label)
	}
	slices.Sort(names)
	if want := []string{"sentence 11", "sentence 20", "sentence 3", "sentence 7"}; !slices.Equal(names, want) {
		t.Errorf("listed: %v, want %v", names, want)
	}
	for _, l := range got.Labels {
		if want := map[string]int{"sentence 3": 0, "sentence 7": 1, "sentence 20": 2}; l.Label != "sentence 11" && l.View != want[l.Label] {
			t.Errorf("%s was seen in view %d", l.Label, l.View)
		}
	}
	// One view is scored as ever.
	one := m.ScoreViews(views[:1], 100, 3, nil)
	if one.Logits = nil; !reflect.DeepEqual(one, m.Score(views[0], 100, 3, nil)) {
		t.Errorf("one view: %+v", one)
	}
}
