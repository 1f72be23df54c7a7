package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const largeDim = 512 // of ViT-B/16

// largeVector is a text's vector. All of them have a component in common, as real
// embeddings do.
func largeVector(text string) []float32 {
	seed := uint64(14695981039346656037)
	for _, b := range []byte(text) {
		seed = (seed ^ uint64(b)) * 1099511628211
	}
	random := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, largeDim)
	for i := range v {
		v[i] = float32(random.NormFloat64())
	}
	v[0] += 12
	return unit(v)
}

func largeMatrix(labels, aliases int) *Matrix {
	v, k := vocab.Vocabulary{Name: "default", Version: "v"}, known{}
	for i := range labels {
		l := vocab.Label{Name: fmt.Sprintf("label %05d", i), Background: i%7 == 0}
		for a := range aliases {
			l.Aliases = append(l.Aliases, fmt.Sprintf("alias %d of %05d", a, i))
		}
		for _, t := range l.Texts() {
			k[t] = &embedding{vector: largeVector(t)}
		}
		v.Labels = append(v.Labels, l)
	}
	return assemble(v, k, bases{}, nil)
}

// Scores computed in single precision must be those of double precision, whatever
// the scale and however many labels there are.
func TestScoresOfManyLabelsAreThoseOfFloat64(t *testing.T) {
	m := largeMatrix(1500, 1)
	worst := 0.0
	for i, scale := range []float32{1, 19, 100, 100, 100} {
		clip := largeVector(fmt.Sprintf("label %05d", 100*i))
		for d := range clip {
			clip[d] = 0.9*clip[d] + 0.1*m.words[i].vectors[0][d] // near two
		}
		similar, top, sum, background := make([]float64, m.Len()), -2.0, 0.0, 0.0
		for label, row := range m.words {
			similar[label] = -2
			for _, v := range row.vectors {
				cosine := 0.0
				for d := range v {
					cosine += float64(v[d]) * float64(clip[d])
				}
				similar[label] = max(similar[label], cosine)
			}
			top = max(top, similar[label])
		}
		for label, s := range similar {
			w := math.Exp(float64(scale) * (s - top))
			if sum += w; m.background[label] {
				background += w
			}
		}
		got := m.Score(Clip{Mean: clip}, scale, m.Len(), nil)
		if len(got.Labels) != m.Len() {
			t.Fatalf("%d labels are listed", len(got.Labels))
		}
		worst = max(worst, math.Abs(got.Background-background/sum))
		for _, l := range got.Labels {
			label, found := slices.BinarySearchFunc(m.labels, l.Label, func(e entry, name string) int { return strings.Compare(e.Name, name) })
			if !found {
				t.Fatal("unknown label", l.Label)
			}
			worst = max(worst, math.Abs(l.Score-math.Exp(float64(scale)*(similar[label]-top))/sum), math.Abs(l.Similarity-similar[label]))
		}
		if again := m.Score(Clip{Mean: slices.Clone(clip)}, scale, 10, nil); !slices.EqualFunc(again.Labels, got.Labels[:10], func(a, b topics.LabelScore) bool { return a.Label == b.Label && a.Score == b.Score }) {
			t.Error("the same clip has other scores")
		}
	}
	t.Logf("largest difference: %.1e", worst)
	if worst > 1e-5 {
		t.Errorf("off by %v", worst)
	}
}

func TestScoringAllocatesForWhatItLists(t *testing.T) {
	m, clip := largeMatrix(500, 0), largeVector("a clip")
	if n := testing.AllocsPerRun(10, func() { m.Score(Clip{Mean: clip}, 100, 10, nil) }); n > 20 {
		t.Errorf("%v allocations for a list of 10", n)
	}
}
