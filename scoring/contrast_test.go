package scoring

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// referencesOf are references of texts whose vectors vectorOf makes.
func referencesOf(t testing.TB, texts ...string) *References {
	t.Helper()
	vectors := map[string][]float32{}
	for _, text := range texts {
		vectors[text] = vectorOf(text)
	}
	r, err := NewReferences(texts, vectors)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sentences(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("sentence %d", i))
	}
	return out
}

func contrastMatrix(t testing.TB, r *References, labels ...vocab.Label) *Matrix {
	t.Helper()
	k, b := embeddedTexts(labels, nil)
	return assemble(vocab.Vocabulary{Name: "default", Version: "v", Labels: labels}, k, b, r)
}

func randomClip(random *rand.Rand) []float32 {
	clip := make([]float32, testDim)
	for i := range clip {
		clip[i] = float32(random.NormFloat64())
	}
	return unit(clip)
}

// The reference leaves out what is too close and sums the rest, in float64.
func TestContrastIsThatOfAReference(t *testing.T) {
	texts := sentences(40)
	r := referencesOf(t, texts...)
	labels := []vocab.Label{{Name: "fall", Aliases: []string{"tumble", texts[3]}}, {Name: texts[7]}, {Name: "run"}}
	m := contrastMatrix(t, r, labels...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		clip, scale := randomClip(random), []float32{1, 14.3, 100}[random.IntN(3)]
		got := m.Score(Clip{Mean: clip}, scale, 3, nil)
		for _, l := range got.Labels {
			own := labels[slices.IndexFunc(labels, func(o vocab.Label) bool { return o.Name == l.Label })].Texts()
			sum := 0.0
			for _, text := range texts {
				if !slices.ContainsFunc(own, func(o string) bool { return cosine(vectorOf(o), vectorOf(text)) >= r.close-1e-7 }) {
					sum += math.Exp(float64(scale) * cosine(clip, vectorOf(text)))
				}
			}
			best := math.Inf(-1)
			for _, o := range own {
				best = max(best, cosine(clip, vectorOf(o)))
			}
			weight := math.Exp(float64(scale) * best)
			if want := weight / (weight + sum); math.Abs(l.Contrast-want) > 1e-5 {
				t.Errorf("%s at scale %v: contrast %v, want %v", l.Label, scale, l.Contrast, want)
			}
		}
	}
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// Fifty unrelated labels and five synonyms halve a label's score again and again.
func TestOtherLabelsDoNotChangeContrast(t *testing.T) {
	r := referencesOf(t, sentences(40)...)
	labels := []vocab.Label{{Name: "fall"}}
	clip := unit(sum(vectorOf("fall"), vectorOf("sentence 3"), vectorOf("sentence 5")))
	alone := contrastMatrix(t, r, labels...).Score(Clip{Mean: clip}, 20, 1, nil)
	for i := range 50 {
		labels = append(labels, vocab.Label{Name: fmt.Sprintf("unrelated %d", i)})
	}
	for _, synonym := range []string{"tumble", "collapse", "fall over", "drop down", "topple"} {
		labels = append(labels, vocab.Label{Name: synonym})
	}
	among := contrastMatrix(t, r, labels...).Score(Clip{Mean: clip}, 20, len(labels), nil)
	i := slices.IndexFunc(among.Labels, func(l topics.LabelScore) bool { return l.Label == "fall" })
	before, now := alone.Labels[0], among.Labels[i]
	if now.Contrast != before.Contrast || now.Similarity != before.Similarity || now.Contrast == 0 {
		t.Errorf("contrast %v, want %v to the bit", now.Contrast, before.Contrast)
	}
	if now.Score >= before.Score {
		t.Errorf("score %v among %d labels, %v alone: the test shows nothing", now.Score, len(labels), before.Score)
	}
}

func sum(vectors ...[]float32) []float32 {
	out := make([]float32, testDim)
	for _, v := range vectors {
		for i := range v {
			out[i] += v[i]
		}
	}
	return out
}

// What the past is scored by must be what live clips were scored by.
func TestARecordedClipHasTheContrastOfTheLiveOne(t *testing.T) {
	texts := sentences(40)
	r := referencesOf(t, texts...)
	for _, label := range []vocab.Label{{Name: "fall"}, {Name: texts[4]}, {Name: "x", Aliases: texts[:20]}, {Name: "all", Aliases: texts}} {
		var vectors [][]float32
		for _, text := range label.Texts() {
			vectors = append(vectors, vectorOf(text))
		}
		w, err := NewWord(vectors, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{"fall", texts[4], texts[9]} {
			clip := vectorOf(of)
			live := contrastMatrix(t, r, label).Score(Clip{Mean: clip}, 100, 1, nil)
			if got, want := w.Contrast(Clip{Mean: clip}, 100, live.References.Logit), live.Labels[0].Contrast; got != want {
				t.Errorf("%s, clip of %s: %v from the record, %v live", label.Name, of, got, want)
			}
			if got, want := w.Contrast(Clip{Mean: clip}, 100, math.NaN()), live.Labels[0].Contrast; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s, clip of %s: %v without the recorded sum, %v live", label.Name, of, got, want)
			}
		}
	}
}

// A clip that shows just what a reference text too close to the label says: nearly
// the whole sum is subtracted again.
func TestContrastWhereWhatIsTooCloseOutweighsAll(t *testing.T) {
	texts := sentences(40)
	r := referencesOf(t, texts...)
	w, err := NewWord([][]float32{vectorOf(texts[4])}, r)
	if err != nil {
		t.Fatal(err)
	}
	clip := vectorOf(texts[4])
	got := w.Contrast(Clip{Mean: clip}, 1000, r.Logit(clip, 1000))
	if !(got > .999 && got <= 1) {
		t.Errorf("contrast %v of the label's own clip", got)
	}
	if far := w.Contrast(Clip{Mean: vectorOf(texts[9])}, 1000, r.Logit(vectorOf(texts[9]), 1000)); far > .001 || math.IsNaN(far) {
		t.Errorf("contrast %v of another text's clip", far)
	}
}

// Of 66 pairs, all but the closest are 97%. With many
// texts only some are compared.
func TestTooCloseIsCloserThanNearlyAllPairs(t *testing.T) {
	of := func(degrees float64) []float32 {
		return []float32{float32(math.Cos(degrees * math.Pi / 180)), float32(math.Sin(degrees * math.Pi / 180))}
	}
	vectors, texts := map[string][]float32{}, sentences(12)
	for i, at := range []float64{0, .9, 20, 30, 30.4, 50, 60, 70, 80, 90, 100, 100.2} {
		vectors[texts[i]] = of(at)
	}
	r, err := NewReferences(texts, vectors)
	if err != nil {
		t.Fatal(err)
	}
	if want := cosine(of(0), of(.4)); math.Abs(r.close-want) > 1e-6 {
		t.Errorf("too close from cosine %v on, want %v", r.close, want)
	}
	many := sentences(10 * maxCompared)
	for i, text := range many {
		vectors[text] = of(float64(i % 10 * (i % 97))) // every tenth is 0
	}
	if r, err = NewReferences(many, vectors); err != nil || math.Abs(r.close-1) > 1e-6 {
		t.Errorf("%v, %v: want every tenth text compared, and no other", r.close, err)
	}
}

func TestReferencesAreChecked(t *testing.T) {
	for name, vectors := range map[string]map[string][]float32{
		"one alone":      {"a": vectorOf("a")},
		"no unit vector": {"a": vectorOf("a"), "b": make([]float32, testDim)},
		"another length": {"a": vectorOf("a"), "b": unit([]float32{1, 2})},
	} {
		if _, err := NewReferences([]string{"a", "b"}, vectors); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if a, b := referencesOf(t, "a", "b", "a"), referencesOf(t, "b", "a"); a.Len() != 2 || a.Hash() == b.Hash() {
		t.Error("duplicates, or the hash of another order")
	}
}

func TestWatchedLabelsAreListed(t *testing.T) {
	m := contrastMatrix(t, referencesOf(t, sentences(9)...),
		vocab.Label{Name: "a"}, vocab.Label{Name: "B"}, vocab.Label{Name: "c", Tags: []string{"t"}},
		vocab.Label{Name: "d", Tags: []string{"t"}, Background: true}, vocab.Label{Name: "e"})
	names := func(w *Watched) (out []string) {
		for _, l := range m.Score(Clip{Mean: vectorOf("a")}, 10, 1, w).Labels {
			out = append(out, l.Label)
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		w    *Watched
		want []string
	}{
		{nil, []string{"a"}},
		{NewWatched([]string{"a", " b ", "gone"}, nil, false), []string{"B", "a"}},
		{NewWatched(nil, []string{"t"}, false), []string{"a", "c"}},
		{NewWatched([]string{"D"}, nil, false), []string{"a", "d"}},
		{NewWatched(nil, nil, true), []string{"B", "a", "c", "e"}},
	} {
		for range 2 { // the second from the cache
			if got := names(c.w); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %q, want %q", c.w, got, c.want)
			}
		}
	}
	all := m.Score(Clip{Mean: vectorOf("a")}, 10, 5, nil)
	for _, l := range m.Score(Clip{Mean: vectorOf("a")}, 10, 1, NewWatched(nil, nil, true)).Labels {
		i := slices.IndexFunc(all.Labels, func(o topics.LabelScore) bool { return o.Label == l.Label })
		if all.Labels[i].Score != l.Score || all.Labels[i].Contrast != l.Contrast || l.Contrast == 0 {
			t.Errorf("%+v as watched, %+v among the best", l, all.Labels[i])
		}
	}
}

// A clip acknowledged without contrast would be lost to the rules that compare it.
func TestNothingIsServedWithoutReferences(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "fall", "")
	texts := append(sentences(3*maxChunk), "endless")
	pass := make(chan struct{})
	e := &embedder{gate: func(ctx context.Context, texts []string) error {
		if strings.HasPrefix(texts[0], "sentence ") {
			select {
			case <-pass:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}}
	w := watch(t, s, setup{Embedder: e, References: texts})
	w.awaitHealth(t, "reference texts are being embedded")
	set(t, s, "run", "")
	select {
	case <-w.Ready():
		t.Error("ready without references")
	default:
	}
	close(pass)
	<-w.Ready()
	w.awaitLabels(t, "fall", "run")
	got := w.Current().Score(Clip{Mean: vectorOf("run")}, 10, 1, nil)
	if want := referencesOf(t, texts[:len(texts)-1]...); got.References == nil || got.References.Hash != want.Hash() || got.Labels[0].Contrast == 0 {
		t.Errorf("got %+v", got)
	}
	w.awaitHealth(t, "")
}

// A process without the model scores the past by the references that records name.
func TestReferencesOfARecord(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "fall", "")
	w := watch(t, s, setup{Embedder: &embedder{}, References: append(sentences(50), "endless")})
	<-w.Ready()
	scored := w.Current().Score(Clip{Mean: vectorOf("run")}, 10, 1, nil)
	r := remote(t, s, "model", stagetest.Patience)
	refs, err := r.References(t.Context(), scored.References.Hash)
	if err != nil {
		t.Fatal(err)
	}
	word, err := NewWord([][]float32{vectorOf("fall")}, refs)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := word.Contrast(Clip{Mean: vectorOf("run")}, 10, scored.References.Logit), scored.Labels[0].Contrast; got != want || got == 0 {
		t.Errorf("contrast %v, want %v", got, want)
	}
	if err := s.Client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "the references after Redis has lost them", func() bool {
		again, err := r.References(t.Context(), scored.References.Hash)
		return err == nil && again.Hash() == refs.Hash()
	})
	if err := s.Client.Set(t.Context(), "f:references:1f", `["a","b"]`, 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{"1f", "2e"} {
		if _, err := r.References(t.Context(), hash); err == nil {
			t.Errorf("references %s: got some", hash)
		}
	}
}

// What contrast adds to the scoring of a clip: a thousand labels and as many
// references as a model with 400 base classes has, at ViT-B/16's 512 dimensions.
func BenchmarkContrast(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 3))
	vector := func() []float32 {
		v := make([]float32, 512)
		for i := range v {
			v[i] = float32(random.NormFloat64())
		}
		return unit(v)
	}
	k, texts, vectors := known{}, sentences(732), map[string][]float32{}
	for _, t := range texts {
		vectors[t] = vector()
	}
	refs, err := NewReferences(texts, vectors)
	if err != nil {
		b.Fatal(err)
	}
	var labels []vocab.Label
	for i := range 1000 {
		name := fmt.Sprintf("label %d", i)
		labels, k[name] = append(labels, vocab.Label{Name: name}), &embedding{vector: vector()}
	}
	clip := Clip{Mean: vector()}
	for name, r := range map[string]*References{"without": nil, "with": refs} {
		m := assemble(vocab.Vocabulary{Name: "default", Labels: labels}, k, bases{}, r)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m.Score(clip, 100, 10, nil)
			}
		})
	}
}
