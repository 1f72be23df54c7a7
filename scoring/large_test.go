package scoring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
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

// largeEmbedder is a fake model with vectors of largeDim.
type largeEmbedder struct {
	embedder
	refuses bool
}

func (e *largeEmbedder) Dim() int { return largeDim }

func (e *largeEmbedder) EmbedLabels(_ context.Context, texts []string) ([][]float32, []error, error) {
	if e.refuses && len(texts) > 1 {
		return nil, nil, errors.New("asked for what is cached")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, texts...)
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		vectors[i] = largeVector(t)
	}
	return vectors, make([]error, len(texts)), nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one freed for finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A worker that starts when the embeddings are cached, and an edit after that.
func TestTenThousandLabels(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	const labels = 10_000
	var pairs, base []string
	for i := range labels {
		pairs = append(pairs, fmt.Sprintf("a person doing the thing of number %05d", i), fmt.Sprintf("described as %d", i))
	}
	for i := range 40 {
		base = append(base, fmt.Sprintf("base class %d", i))
	}
	set(t, s, pairs...)
	first := watch(t, s, setup{Embedder: &largeEmbedder{}, BaseClasses: base})
	stagetest.Await(t, "labels and base classes are embedded", func() bool {
		return s.Client.HLen(ctx, "f:embed:model").Val() == labels+int64(len(base))
	})
	first.stop()

	before, began := heap(), time.Now()
	e := &largeEmbedder{refuses: true}
	w := watch(t, s, setup{Embedder: e, BaseClasses: base, Poll: time.Hour})
	stagetest.Await(t, "the cached vocabulary", func() bool { return w.Current() != nil })
	t.Logf("%d labels in force %v after the start", w.Current().Len(), time.Since(began).Round(time.Millisecond))
	clip := largeVector(pairs[2*77] + ": " + pairs[2*77+1])
	stagetest.Await(t, "nearest base classes", func() bool { return w.Current().Score(Clip{Mean: clip}, 100, 1, nil).Labels[0].NearestBase != "" })
	grown := float64(heap()-before) / 1e6
	t.Logf("heap grown by %.1f MB", grown)
	runtime.KeepAlive(first) // counted before and after
	if w.Current().Len() != labels || grown > 100 {
		t.Errorf("%d labels take %.1f MB", w.Current().Len(), grown)
	}
	if got := e.texts(); len(got) != 0 {
		t.Errorf("%d texts were embedded again", len(got))
	}
	if err := s.Client.Do(ctx, "CONFIG", "RESETSTAT").Err(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if err := vocab.NewStore(s.Client, "f:").Put(ctx, "default", vocab.Label{Name: "one more"}); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "the edit", func() bool { return w.Current().Len() == labels+1 })
	t.Logf("an edit in force %v after it began", time.Since(began).Round(time.Millisecond))
	if got := e.texts(); !slices.Equal(got, []string{"one more"}) {
		t.Errorf("embedded again: %q", got)
	}
	if stats := s.Client.Info(ctx, "commandstats").Val(); !strings.Contains(stats, "cmdstat_hmget:calls=2,") && !strings.Contains(stats, "cmdstat_hmget:calls=1,") {
		t.Errorf("more than the new text was looked up:\n%s", stats)
	}
	if l := w.Current().Score(Clip{Mean: largeVector("one more")}, 100, 1, nil).Labels[0]; l.Label != "one more" || !l.Novel || l.NearestBase == "" {
		t.Errorf("got %+v", l)
	}
}

func BenchmarkScore(b *testing.B) {
	m, clip := largeMatrix(10_000, 0), largeVector("a clip")
	b.ReportAllocs()
	for b.Loop() {
		m.Score(Clip{Mean: clip}, 100, 10, nil)
	}
}

// An edit of one label rebuilds the matrix from vectors that are in memory.
func BenchmarkRebuild(b *testing.B) {
	m := largeMatrix(10_000, 0)
	v, k := vocab.Vocabulary{Labels: m.Labels()}, known{}
	for i, l := range v.Labels {
		k[l.Texts()[0]] = &embedding{vector: m.words[i].vectors[0]}
	}
	b.ReportAllocs()
	for b.Loop() {
		assemble(v, k, bases{}, nil)
	}
}
