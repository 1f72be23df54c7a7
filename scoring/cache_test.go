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
		if best := w.Current().Score(Clip{Mean: vectorOf(label)}, 100, 1, nil).Labels[0]; best.Label != label || math.Abs(best.Similarity-1) > 1e-6 {
			t.Errorf("%s scores as %+v", label, best)
		}
	}
	third := &embedder{}
	watch(t, s, setup{Embedder: third}).awaitLabels(t, "a", "b", "c", "d", "e")
	if got := third.texts(); len(got) != 0 {
		t.Errorf("the repaired cache lacks %q", got)
	}
}

// Anyone may write the keys of the cache. Those of the wrong type are replaced.
func TestACacheOfTheWrongTypeIsReplaced(t *testing.T) {
	for _, key := range []string{"f:embed:model", "f:embed:model:until"} {
		t.Run(key, func(t *testing.T) {
			s, ctx := redistest.Start(t), t.Context()
			broken := func() {
				t.Helper()
				if err := s.Client.Set(ctx, key, "of the wrong type", 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
			broken()
			set(t, s, "a", "")
			w := watch(t, s, setup{})
			w.awaitLabels(t, "a")
			set(t, s, "b", "")
			w.awaitLabels(t, "a", "b")
			w.awaitHealth(t, "")
			c := w.Embeddings.cache
			if n := held(t, c, []string{"a", "b"}); n != 2 {
				t.Errorf("%d of 2 embeddings are cached", n)
			}
			for name, use := range map[string]func() error{
				"read":   func() error { return c.get(ctx, []string{"a"}, func(string, []float32) {}) },
				"put":    func() error { return c.put(ctx, map[string][]float32{"a": vectorOf("a")}) },
				"extend": func() error { return c.note(ctx, []string{"a"}, keepUsed) },
				"prune":  func() error { return c.prune(ctx, 1) },
			} {
				broken()
				if err := use(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if n := w.log.Count("are not cached") + w.log.Count("are cached again"); n != 0 {
				t.Errorf("logged %d times that the cache fails or works", n)
			}
		})
	}
}

// Where Redis is full, reading works and writing does not. That is one fault.
func TestACacheThatFailsIsLoggedOnce(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "start", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "start")
	full := func(bytes string) {
		t.Helper()
		if err := s.Client.ConfigSet(ctx, "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	full("1")
	embed := func(texts ...string) {
		t.Helper()
		if _, _, err := w.Embeddings.Of(ctx, texts); err != nil {
			t.Fatal(err)
		}
	}
	embed(texts("many", 200)...)
	embed("a")
	embed("b")
	const fails, works = "text embeddings are not cached", "text embeddings are cached again"
	if fail, work := w.log.Count(fails), w.log.Count(works); fail != 1 || work != 0 {
		t.Errorf("while Redis is full: logged %d and %d times\n%s", fail, work, w.log)
	}
	// It fails in another way.
	if err := s.Client.Do(ctx, "ACL", "SETUSER", "default", "-hset").Err(); err != nil {
		t.Fatal(err)
	}
	embed("c")
	embed("d")
	if fail, work := w.log.Count(fails), w.log.Count(works); fail != 2 || work != 0 || !w.log.Contains("NOPERM") {
		t.Errorf("while it is denied: logged %d and %d times\n%s", fail, work, w.log)
	}
	if err := s.Client.Do(ctx, "ACL", "SETUSER", "default", "+hset").Err(); err != nil {
		t.Fatal(err)
	}
	full("0")
	embed("e")
	embed("f")
	if fail, work := w.log.Count(fails), w.log.Count(works); fail != 2 || work != 1 {
		t.Errorf("afterwards: logged %d and %d times\n%s", fail, work, w.log)
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
			return w.Current() != nil && w.Current().Score(Clip{Mean: vectorOf("run")}, 100, 1, nil).Labels[0].NearestBase == "run"
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
