package vocab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEditsByAnyoneAreInForce(t *testing.T) {
	s := startRedis(t)
	w := watch(t, s, Options{})
	w.awaitLabels(t) // empty, and whole
	s.set(t, "fall", "", "run", "at speed")
	w.awaitLabels(t, "fall", "run")
	version := w.Current().Version
	s.set(t, "broken", "{", "endless", "")
	await(t, "a new version", func() bool { return w.Current().Version != version })
	if got := w.labels(); !slices.Equal(got, []string{"fall", "run"}) {
		t.Errorf("two broken labels left %q", got)
	}
	if p := w.Current().Problems; len(p) != 2 || p[0].Label != "broken" || p[1].Label != "endless" {
		t.Errorf("problems %v", p)
	}
	if err := s.client.HDel(t.Context(), "f:vocab:default", "fall").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "run")
	s.set(t, "run", `{"tags":["sport"]}`)
	await(t, "the tag", func() bool { return slices.Equal(w.Current().Labels()[0].Tags, []string{"sport"}) })
	if err := s.client.Del(t.Context(), "f:vocab:default").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
}

func TestAStoresEditIsNotPolledFor(t *testing.T) {
	s := startRedis(t)
	w := watch(t, s, Options{Poll: time.Hour})
	w.awaitHealth(t, "")
	await(t, "the subscription", func() bool {
		return s.client.PubSubNumSub(t.Context(), "f:vocab-edited").Val()["f:vocab-edited"] == 1
	})
	if err := NewStore(s.client, "f:").Put(t.Context(), "default", Label{Name: "fall"}); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "fall")
}

func TestRedisKilledAndBack(t *testing.T) {
	s := startRedis(t)
	s.set(t, "fall", "")
	w := watch(t, s, Options{})
	w.awaitLabels(t, "fall")
	w.awaitHealth(t, "")
	s.kill(t)
	w.awaitHealth(t, "look at vocabulary default")
	w.awaitHealth(t, "look at vocabulary default")
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("without Redis %q serve", got)
	}
	s.start(t)
	s.set(t, "fall", "", "run", "")
	w.awaitLabels(t, "fall", "run")
	w.awaitHealth(t, "")
	for text, want := range map[string]int{"the last one goes on serving": 1, "fresh again": 1} {
		if n := w.log.count(text); n != want {
			t.Errorf("%q is logged %d times, want %d", text, n, want)
		}
	}
}

func TestCachedEmbeddingsAreNotTrusted(t *testing.T) {
	s, ctx := startRedis(t), t.Context()
	s.set(t, "a", "", "b", "", "c", "", "d", "", "e", "")
	first := &embedder{}
	watch(t, s, Options{Embedder: first}).awaitLabels(t, "a", "b", "c", "d", "e")
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
		"c": raw(float32(math.NaN()), 1, 0, 0, 0, 0, 0, 0),         // no number
		"d": raw(3, 0, 0, 0, 0, 0, 0, 0),                           // too long a vector
		"e": raw(float32(math.Inf(1)), 0, 0, 0, 0, 0, 0, 0) + "ab", // rubbish
	} {
		if err := s.client.HSet(ctx, "f:embed:model", field(label), value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	second := &embedder{}
	w := watch(t, s, Options{Embedder: second})
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
	watch(t, s, Options{Embedder: third}).awaitLabels(t, "a", "b", "c", "d", "e")
	if got := third.texts(); len(got) != 0 {
		t.Errorf("the repaired cache lacks %q", got)
	}
}

func TestACacheOutOfOrderCostsTimeOnly(t *testing.T) {
	s := startRedis(t)
	if err := s.client.Set(t.Context(), "f:embed:model", "not a hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.set(t, "a", "")
	w := watch(t, s, Options{})
	w.awaitLabels(t, "a")
	s.set(t, "b", "")
	w.awaitLabels(t, "a", "b")
	w.awaitHealth(t, "")
	if n := w.log.count("are not cached"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if err := s.client.Del(t.Context(), "f:embed:model").Err(); err != nil {
		t.Fatal(err)
	}
	s.set(t, "c", "")
	w.awaitLabels(t, "a", "b", "c")
	if n := s.client.HLen(t.Context(), "f:embed:model").Val(); n != 1 {
		t.Errorf("%d embeddings are cached, want that of c", n)
	}
}

func TestLabelsDoNotWaitForBaseClasses(t *testing.T) {
	s := startRedis(t)
	s.set(t, "Class 3", "", "fall", "")
	var base []string
	for i := range 3 * maxChunk {
		base = append(base, fmt.Sprintf("class %d", i))
	}
	pass := make(chan struct{}) // one for each call with base classes
	e := &embedder{gate: func(ctx context.Context, texts []string) error {
		if !strings.HasPrefix(texts[0], "class ") {
			return nil
		}
		select {
		case <-pass:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	w := watch(t, s, Options{Embedder: e, BaseClasses: base})
	w.awaitLabels(t, "Class 3", "fall")
	for _, l := range w.Current().Score(vectorOf("x"), 1, 2).Labels {
		if l.Novel != (l.Label == "fall") || l.NearestBase != "" {
			t.Errorf("before the base classes are embedded: %+v", l)
		}
	}
	pass <- struct{}{}
	s.set(t, "run", "") // taken over between two calls, at the latest after the next
	pass <- struct{}{}
	w.awaitLabels(t, "Class 3", "fall", "run")
	close(pass)
	await(t, "the nearest base classes", func() bool {
		return w.Current().Score(vectorOf("x"), 1, 1).Labels[0].NearestBase != ""
	})
	_, b := embeddedTexts(nil, base)
	want := b.nearestTo(&embedding{vector: vectorOf("fall")}).name
	for _, l := range w.Current().Score(vectorOf("fall"), 100, 1).Labels {
		if l.Label != "fall" || l.NearestBase != want {
			t.Errorf("got %+v, want %s", l, want)
		}
	}
}

func TestEachModelHasEmbeddingsOfItsOwn(t *testing.T) {
	s := startRedis(t)
	s.set(t, "fall", "", "run", "")
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
		w := watch(t, s, Options{Embedder: e, BaseClasses: base})
		await(t, "the nearest base classes", func() bool {
			return w.Current() != nil && w.Current().Score(vectorOf("run"), 100, 1).Labels[0].NearestBase == "run"
		})
		w.stop()
		if got := e.texts(); !slices.Equal(got, c.want) {
			t.Errorf("model %s was asked for %q, want %q", c.model, got, c.want)
		}
	}
}

func TestWorkersFindWhatOthersEmbedded(t *testing.T) {
	s := startRedis(t)
	var labels []string
	for i := range 50 {
		label := fmt.Sprintf("label %02d", i)
		labels = append(labels, label)
		s.set(t, label, "")
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
	first := watch(t, s, Options{Embedder: slow})
	<-begun // with its first chunk
	second := watch(t, s, Options{})
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

func TestAFaultyModel(t *testing.T) {
	for _, c := range []struct {
		name string
		e    *embedder
		want string // health; "": the label is skipped, all else is well
	}{
		{"vectors of another length", &embedder{bend: func(text string, v []float32) []float32 {
			if text == "bad" {
				return v[1:]
			}
			return v
		}}, "vector of 7, the model's are of 8"},
		{"an error", &embedder{gate: func(_ context.Context, texts []string) error {
			if slices.Contains(texts, "bad") {
				return errors.New("out of memory")
			}
			return nil
		}}, "embed labels: out of memory"},
		{"no unit vector", &embedder{bend: func(text string, v []float32) []float32 {
			if text == "bad" {
				v[0] = float32(math.NaN())
			}
			return v
		}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startRedis(t)
			s.set(t, "good", "")
			w := watch(t, s, Options{Embedder: c.e})
			w.awaitLabels(t, "good")
			s.set(t, "bad", "", "better", "")
			if c.want == "" {
				w.awaitLabels(t, "better", "good")
				if p := w.Current().Problems; len(p) != 1 || p[0].Label != "bad" {
					t.Errorf("problems %v", p)
				}
				return
			}
			w.awaitHealth(t, c.want)
			if got := w.labels(); !slices.Equal(got, []string{"good"}) {
				t.Errorf("in force are %q", got)
			}
		})
	}
}

func TestOptionsAreRequired(t *testing.T) {
	if _, err := NewWatcher(Options{}); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("got %v", err)
	}
}
