package scoring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/vocab"
)

const quick = 50 * time.Millisecond // between looks

func TestEditsByAnyoneAreScored(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	edits := make(chan []vocab.Change, 100)
	w := watch(t, s, setup{OnEdit: func(c []vocab.Change) { edits <- c }})
	w.awaitHealth(t, "no vocabulary is embedded yet")
	select {
	case <-w.Ready():
		t.Fatal("ready without a vocabulary")
	default:
	}
	set(t, s, "fall", "", "run", "at speed")
	<-w.Ready()
	if got := w.labels(); !slices.Equal(got, []string{"fall", "run"}) {
		t.Errorf("ready with %q", got)
	}
	version := w.Current().Version
	set(t, s, "broken", "{", "endless", "")
	await(t, "a new version", func() bool { return w.Current().Version != version })
	if got := w.labels(); !slices.Equal(got, []string{"fall", "run"}) {
		t.Errorf("two broken labels left %q", got)
	}
	if p := w.Current().Problems; len(p) != 2 || p[0].Label != "broken" || p[1].Label != "endless" {
		t.Errorf("problems %v", p)
	}
	if err := s.Client.HDel(ctx, "f:vocab:default", "fall").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "run")
	set(t, s, "run", `{"tags":["sport"]}`, "wave", "")
	await(t, "the tag", func() bool { return slices.Equal(w.Current().Labels()[0].Tags, []string{"sport"}) })
	want := vocab.InForce{Model: "model", Version: w.Current().Version, Labels: 2, SkippedTotal: 2, Skipped: []string{
		`label "broken": value: it begins with { and is not valid JSON: unexpected end of JSON input (at byte 1)`, `label "endless": 99 tokens: at most 77`,
	}}
	await(t, "what is in force is announced", func() bool {
		force, err := vocab.NewStore(s.Client, "f:").InForce(ctx, "default")
		return err == nil && len(force) == 1 && reflect.DeepEqual(force[0], want)
	})
	w.stop()
	for _, want := range []string{`msg="label added" label=wave`, `msg="label removed" label=fall`, `msg="label changed" label=run`, `msg="vocabulary: label skipped" label=broken`} {
		if n := w.log.count(want); n != 1 {
			t.Errorf("%s: logged %d times", want, n)
		}
	}
	close(edits)
	var told []vocab.Change
	for c := range edits {
		for _, c := range c {
			c.Why = "" // worded elsewhere
			told = append(told, c)
		}
	}
	if want := []vocab.Change{{Label: "broken", What: vocab.Skipped}, {Label: "endless", What: vocab.Skipped}, {Label: "fall", What: vocab.Removed}, {Label: "run", What: vocab.Changed}, {Label: "wave", What: vocab.Added}}; !slices.Equal(told, want) {
		t.Errorf("edits %v", told)
	}
}

// A clip scored against nothing is acknowledged and lost.
func TestNothingIsScoredAgainstALostVocabulary(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "fall", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "fall")
	if err := s.Client.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitWatcher(t, "came back empty")
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("scored are %q", got)
	}
	set(t, s, "endless", "") // can't be embedded
	w.awaitHealth(t, "none of the 1 labels of vocabulary default can be embedded, the first because of 99 tokens")
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("scored are %q", got)
	}
	if err := vocab.NewStore(s.Client, "f:").Clear(ctx, "default"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
}

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
		"c": raw(float32(math.NaN()), 1, 0, 0, 0, 0, 0, 0),         // no number
		"d": raw(3, 0, 0, 0, 0, 0, 0, 0),                           // too long a vector
		"e": raw(float32(math.Inf(1)), 0, 0, 0, 0, 0, 0, 0) + "ab", // rubbish
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
	if n := w.log.count("are not cached"); n != 1 {
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

func TestLabelsDoNotWaitForBaseClasses(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "Class 3", "", "fall", "")
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
	w := watch(t, s, setup{Embedder: e, BaseClasses: base})
	w.awaitLabels(t, "Class 3", "fall")
	for _, l := range w.Current().Score(vectorOf("x"), 1, 2).Labels {
		if l.Novel != (l.Label == "fall") || l.NearestBase != "" {
			t.Errorf("before the base classes are embedded: %+v", l)
		}
	}
	set(t, s, "run", "") // taken over between two calls, once the watcher has seen it
	await(t, "the edit", func() bool {
		select {
		case pass <- struct{}{}:
			time.Sleep(quick) // a call of the model takes its time
		default:
		}
		return len(w.labels()) == 3
	})
	if near := w.Current().Score(vectorOf("x"), 1, 1).Labels[0].NearestBase; near != "" {
		t.Errorf("the edit waited for all base classes: %s is near", near)
	}
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
			s := redistest.Start(t)
			set(t, s, "good", "")
			w := watch(t, s, setup{Embedder: c.e})
			w.awaitLabels(t, "good")
			set(t, s, "bad", "", "better", "")
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
	if _, err := NewLive(LiveOptions{}); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("got %v", err)
	}
}
