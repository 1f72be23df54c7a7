package scoring

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func TestCachedEmbeddingsAreNotTrusted(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "a", "", "b", "", "c", "", "d", "", "e", "")
	first := &embedder{}
	watch(t, s, setup{Embedder: first}).awaitLabels(t, "a", "b", "c", "d", "e")
	if got := first.texts(); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
		t.Errorf("asked for %q", got)
	}
	raw := func(v ...float32) string {
		var out []byte
		for _, x := range v {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
		return string(out)
	}
	for label, value := range map[string]string{
		"b": raw(vectorOf("b")[1:]...),                             // too short
		"c": raw(float32(math.NaN()), 1, 0, 0, 0, 0, 0, 0),         // not a number
		"d": raw(3, 0, 0, 0, 0, 0, 0, 0),                           // too long a vector
		"e": raw(float32(math.Inf(1)), 0, 0, 0, 0, 0, 0, 0) + "ab", // neither a number nor of the right length
	} {
		if err := s.Client.HSet(ctx, "f:embed:model", field(label), value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	second := &embedder{}
	w := watch(t, s, setup{Embedder: second})
	w.awaitLabels(t, "a", "b", "c", "d", "e")
	if got := second.texts(); !slices.Equal(got, []string{"b", "c", "d", "e"}) {
		t.Errorf("asked again for %q", got)
	}
	for _, label := range []string{"a", "b", "c", "d", "e"} {
		if best := w.Current().Score(vectorOf(label), 100, 1).Labels[0]; best.Label != label || math.Abs(best.Similarity-1) > 1e-6 {
			t.Errorf("%s scores as %+v", label, best)
		}
	}
	third := &embedder{}
	watch(t, s, setup{Embedder: third}).awaitLabels(t, "a", "b", "c", "d", "e")
	if got := third.texts(); len(got) != 0 {
		t.Errorf("the repaired cache lacks %q", got)
	}
}

func TestACacheOutOfOrderCostsTimeOnly(t *testing.T) {
	s := redistest.Start(t)
	if err := s.Client.Set(t.Context(), "f:embed:model", "not a hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, s, "a", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "a")
	set(t, s, "b", "")
	w.awaitLabels(t, "a", "b")
	w.awaitHealth(t, "")
	if n := w.log.Count("are not cached"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if err := s.Client.Del(t.Context(), "f:embed:model").Err(); err != nil {
		t.Fatal(err)
	}
	set(t, s, "c", "")
	w.awaitLabels(t, "a", "b", "c")
	if n := s.Client.HLen(t.Context(), "f:embed:model").Val(); n != 1 {
		t.Errorf("%d embeddings are cached, want that of c", n)
	}
}

func TestEachModelHasEmbeddingsOfItsOwn(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "fall", "", "run", "")
	base := []string{"run", "swim", "endless", "walk"} // one can't be read
	for _, c := range []struct {
		model string
		want  []string
	}{
		{"one", []string{"endless", "fall", "run", "swim", "walk"}},
		{"two", []string{"endless", "fall", "run", "swim", "walk"}},
		{"one", []string{"endless"}}, // a restart
	} {
		e := &embedder{id: c.model}
		w := watch(t, s, setup{Embedder: e, BaseClasses: base})
		stagetest.Await(t, "the nearest base classes", func() bool {
			return w.Current() != nil && w.Current().Score(vectorOf("run"), 100, 1).Labels[0].NearestBase == "run"
		})
		w.stop()
		if got := e.texts(); !slices.Equal(got, c.want) {
			t.Errorf("model %s was asked for %q, want %q", c.model, got, c.want)
		}
	}
}

func TestWorkersFindWhatOthersEmbedded(t *testing.T) {
	s := redistest.Start(t)
	var labels []string
	for i := range 50 {
		label := fmt.Sprintf("label %02d", i)
		labels = append(labels, label)
		set(t, s, label, "")
	}
	begun, pass := make(chan struct{}, len(labels)), make(chan struct{})
	slow := &embedder{gate: func(ctx context.Context, _ []string) error {
		begun <- struct{}{}
		select {
		case <-pass:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	first := watch(t, s, setup{Embedder: slow})
	<-begun // with its first chunk
	second := watch(t, s, setup{})
	second.awaitLabels(t, labels...)
	close(pass)
	first.awaitLabels(t, labels...)
	if got := slow.texts(); len(got) != 1 {
		t.Errorf("what another worker had embedded was embedded again: %q", got)
	}
	if a, b := first.Current().Version, second.Current().Version; a != b {
		t.Errorf("versions %s and %s", a, b)
	}
}
