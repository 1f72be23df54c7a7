//go:build !race

package scoring

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

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
