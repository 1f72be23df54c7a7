package scoring

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/vocab"
)

// embeddedTexts gives every text of the labels, and each base class, its vector.
func embeddedTexts(labels []vocab.Label, base []string) (known, bases) {
	k := known{}
	for _, l := range labels {
		for _, t := range l.Texts() {
			k[t] = &embedding{vector: vectorOf(t)}
		}
	}
	vectors := map[string][]float32{}
	for _, c := range base {
		vectors[c] = vectorOf(c)
	}
	return k, newBases(base).embedded(base, vectors)
}

func matrixOf(labels []vocab.Label, base ...string) *Matrix {
	k, b := embeddedTexts(labels, base)
	return assemble(vocab.Vocabulary{Name: "default", Version: "v", Labels: labels}, k, b, nil)
}

// The reference computes each cosine and the softmax anew, in float64 and
// without the shortcuts of the code under test.
func TestScoresAreThoseOfAReference(t *testing.T) {
	labels := []vocab.Label{{Name: "fall", Aliases: []string{"tumble", "collapse"}}, {Name: "run"}, {Name: "walk", Background: true},
		{Name: "stand", Background: true, Description: "upright"}, {Name: "fight", Tags: []string{"danger"}, Threshold: .7}}
	m := matrixOf(labels)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		clip := make([]float32, testDim)
		for i := range clip {
			clip[i] = float32(random.NormFloat64())
		}
		clip = unit(clip)
		scale := []float32{1, 14.3, 100}[random.IntN(3)]
		similar, score, total, background := map[string]float64{}, map[string]float64{}, 0.0, 0.0
		for _, l := range labels {
			best := -2.0
			for _, text := range l.Texts() {
				v, cosine := vectorOf(text), 0.0
				for i := range v {
					cosine += float64(v[i]) * float64(clip[i])
				}
				best = math.Max(best, cosine)
			}
			similar[l.Name] = best
			total += math.Exp(float64(scale) * best)
		}
		for _, l := range labels {
			score[l.Name] = math.Exp(float64(scale)*similar[l.Name]) / total
			if l.Background {
				background += score[l.Name]
			}
		}
		got := m.Score(Clip{Mean: clip}, scale, len(labels), nil)
		if len(got.Labels) != len(labels) || math.Abs(got.Background-background) > 1e-5 {
			t.Fatalf("%d labels, background %v; want %v", len(got.Labels), got.Background, background)
		}
		for i, l := range got.Labels {
			if math.Abs(l.Score-score[l.Label]) > 1e-5 || math.Abs(l.Similarity-similar[l.Label]) > 1e-6 {
				t.Errorf("%s: score %v, similarity %v; want %v and %v", l.Label, l.Score, l.Similarity, score[l.Label], similar[l.Label])
			}
			if i > 0 && l.Score > got.Labels[i-1].Score {
				t.Error("not the highest first")
			}
		}
	}
}

func TestPowersOfE(t *testing.T) {
	table := newExpTable()
	for x := 0.0; x > -70; x -= 0.00137 {
		got, want := table.of(x), math.Exp(x)
		if x <= -expWhole {
			want = 0
		}
		if math.Abs(got-want) > 3e-9*want {
			t.Fatalf("e^%v: got %v, want %v", x, got, want)
		}
	}
	if table.of(0) != 1 || table.of(math.Inf(-1)) != 0 || table.of(math.NaN()) != 0 {
		t.Error("the ends")
	}
}

func TestAnAliasCountsForItsLabel(t *testing.T) {
	m := matrixOf([]vocab.Label{{Name: "fall", Aliases: []string{"tumble"}}, {Name: "run"}})
	best := m.Score(Clip{Mean: vectorOf("tumble")}, 100, 1, nil).Labels[0]
	if best.Label != "fall" || math.Abs(best.Similarity-1) > 1e-6 {
		t.Errorf("got %+v", best)
	}
}

func TestListedLabels(t *testing.T) {
	m := matrixOf([]vocab.Label{{Name: "a", Background: true}, {Name: "b", Tags: []string{"t"}, Threshold: .3}, {Name: "c", Background: true}})
	clip := vectorOf("b")
	whole := m.Score(Clip{Mean: clip}, 10, 3, nil).Background
	for topK, want := range map[int]int{-1: 0, 0: 0, 1: 1, 3: 3, 99: 3} {
		got := m.Score(Clip{Mean: clip}, 10, topK, nil)
		if len(got.Labels) != want || got.Background != whole {
			t.Errorf("top %d: %d labels, background %v; want %d and %v", topK, len(got.Labels), got.Background, want, whole)
		}
	}
	if b := m.Score(Clip{Mean: clip}, 10, 1, nil).Labels[0]; b.Label != "b" || b.Threshold != .3 || !slices.Equal(b.Tags, []string{"t"}) || b.Background {
		t.Errorf("got %+v", b)
	}
	for name, got := range map[string]Scored{
		"a vector of another length": m.Score(Clip{Mean: clip[1:]}, 10, 3, nil),
		"no labels":                  matrixOf(nil).Score(Clip{Mean: clip}, 10, 3, nil),
	} {
		if len(got.Labels) != 0 || got.Background != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNovelAndNearest(t *testing.T) {
	m := matrixOf([]vocab.Label{{Name: "Riding a Bike"}, {Name: "climbing"}}, " riding a bike", "climbing", "swimming")
	for _, l := range m.Score(Clip{Mean: vectorOf("climbing")}, 1, 2, nil).Labels {
		if l.Novel {
			t.Errorf("%s is a base class", l.Label)
		}
		if l.Label == "climbing" && (l.NearestBase != "climbing" || math.Abs(l.NearestSimilarity-1) > 1e-6) {
			t.Errorf("nearest to itself is %s, %v", l.NearestBase, l.NearestSimilarity)
		}
	}
	// The label's own words decide, not its aliases.
	l := matrixOf([]vocab.Label{{Name: "vaulting", Aliases: []string{"climbing"}}}, "climbing", "swimming").Score(Clip{Mean: vectorOf("x")}, 1, 1, nil).Labels[0]
	want, best := "", -2.0
	for _, base := range []string{"climbing", "swimming"} {
		if s := Dot(vectorOf(base), vectorOf("vaulting")); float64(s) > best {
			want, best = base, float64(s)
		}
	}
	if !l.Novel || l.NearestBase != want || math.Abs(l.NearestSimilarity-best) > 1e-6 {
		t.Errorf("got %+v, want %s, %v", l, want, best)
	}
}
