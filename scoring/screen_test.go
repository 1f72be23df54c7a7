package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// near returns a vector of length 1 that is the closer to another the less noise is
// added.
func near(random *rand.Rand, v []float32, noise float64) []float32 {
	out := make([]float32, len(v))
	for i := range out {
		out[i] = v[i] + float32(noise*random.NormFloat64()/math.Sqrt(float64(len(v))))
	}
	return unit(out)
}

func screenedWord(t *testing.T, random *rand.Rand, dim int) (*Word, *References, []float32) {
	t.Helper()
	text := near(random, make([]float32, dim), 1)
	vectors := map[string][]float32{}
	var texts []string
	tooClose := random.IntN(6)
	for i := range 40 {
		name := fmt.Sprint(i)
		texts = append(texts, name)
		vectors[name] = near(random, make([]float32, dim), 1)
		if i < tooClose {
			vectors[name] = near(random, text, .5*random.Float64())
		}
	}
	refs, err := NewReferences(texts, vectors)
	if err != nil {
		t.Fatal(err)
	}
	of := [][]float32{text}
	for range random.IntN(3) {
		of = append(of, near(random, text, 1))
	}
	w, err := NewWord(of, refs)
	if err != nil {
		t.Fatal(err)
	}
	return w, refs, text
}

// A clip that reaches a value is never excluded, however close it comes, and of those
// that don't by far, nearly all are.
func TestAScreenExcludesOnlyWhatCannotReach(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("there is no screen for this architecture")
	}
	if !canScreen(16) {
		shared.Missing(t, "a processor with AVX2, FMA and F16C")
	}
	random := rand.New(rand.NewPCG(3, 9))
	low, excluded := 0, 0
	for round := range 300 {
		dim := []int{16, 48, 512}[round%3]
		w, refs, text := screenedWord(t, random, dim)
		s := NewScreen(w)
		scale := []float32{5, 30, 100}[random.IntN(3)]
		for range 30 {
			clip := near(random, text, 4*random.Float64())
			for i := range clip {
				clip[i] *= []float32{1, 1, 3}[round%3] // foreign records need not have length 1
			}
			clip = topics.RoundFloat16(clip)
			raw, logit := topics.AppendFloat16(nil, clip), refs.Logit(clip, scale)
			if random.IntN(20) == 0 {
				logit = math.NaN()
			}
			similarity, contrast := w.Compare(Clip{Mean: clip}, scale, logit)
			for _, least := range []float64{contrast, math.Nextafter(contrast, 0), contrast * random.Float64(), 0, math.NaN()} {
				if !s.Contrast(raw, scale, logit, least) {
					t.Fatalf("dim %d: a clip of contrast %v is excluded from %v", dim, contrast, least)
				}
			}
			if !s.Similarity(raw, similarity) || !s.Similarity(raw, math.NaN()) {
				t.Fatalf("dim %d: a clip of similarity %v is excluded", dim, similarity)
			}
			if s.Similarity(raw, similarity+.01) {
				t.Errorf("dim %d: a clip of similarity %v is not excluded from %v", dim, similarity, similarity+.01)
			}
			// Log odds that are higher by 1.
			if least := 1 / (1 + math.Exp(-1)*(1/contrast-1)); contrast > 1e-9 && least < .999 && !math.IsNaN(logit) {
				if low++; !s.Contrast(raw, scale, logit, least) {
					excluded++
				}
			}
		}
	}
	if excluded < low*9/10 || low < 1000 {
		t.Errorf("%d of %d clips far below are excluded", excluded, low)
	}
}

// A label with a course depends on more than the clip's embedding, and some embeddings
// can't be screened: nothing is excluded.
func TestNoScreen(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	v := near(random, make([]float32, 16), 1)
	w, err := NewWord([][]float32{v}, nil)
	if err == nil {
		err = w.Course(near(random, v, 1), near(random, v, 1))
	}
	short, wrong := NewWord([][]float32{near(random, make([]float32, 8), 1)}, nil)
	if err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	for _, w := range []*Word{w, short} {
		if s := NewScreen(w); s != nil || !s.Contrast(nil, 100, 3, 1) || !s.Similarity(nil, 1) {
			t.Errorf("a screen for %d dims: %v", w.Dim(), s)
		}
	}
}
