package scoring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// soon is a context for a vocabulary that is awaited.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stagetest.Patience)
	t.Cleanup(cancel)
	return ctx
}

// now is a context for one that is not awaited.
func now(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Two vocabularies share embeddings and nothing else: an edit of one leaves version
// and scores of the other as they are, to the bit.
func TestVocabulariesDoNotTouchEachOther(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "walking", "", "running", "")
	s.HSet(t, "f:vocab:hospital", "walking", "", "washing hands", "", "endless", "")
	e := &embedder{}
	edited := make(chan string, 10)
	w := watch(t, s, setup{Embedder: e, References: sentences(30), OnEdit: func(name string, _ []vocab.Change) { edited <- name }})
	<-w.Ready()
	hospital := w.Of(soon(t), "hospital")
	if hospital == nil || hospital.Name != "hospital" || hospital.Len() != 2 {
		t.Fatalf("hospital is %+v", hospital)
	}
	if w.Of(soon(t), "") != w.Current() || w.Of(soon(t), "default") != w.Current() {
		t.Error("the default one has no other name")
	}
	w.reports.AwaitWarning(t, `label "endless" of vocabulary hospital`, "skipped: 99 tokens")
	clip := Clip{Mean: unit(sum(vectorOf("walking"), vectorOf("washing hands")))}
	score := func(m *Matrix) []topics.LabelScore { return m.Score(clip, 20, 10, nil).Labels }
	before, version := score(w.Current()), w.Current().Version
	if got := score(hospital); len(got) != 2 || got[0].Score == before[0].Score {
		t.Errorf("hospital scores %+v, default %+v", got, before)
	}
	s.HSet(t, "f:vocab:hospital", "falling", "", "running", "")
	stagetest.Await(t, "the edit", func() bool { return w.Of(now(t), "hospital").Len() == 4 })
	if got := score(w.Current()); w.Current().Version != version || !slices.EqualFunc(got, before, func(a, b topics.LabelScore) bool {
		return a.Label == b.Label && a.Score == b.Score && a.Contrast == b.Contrast && a.Similarity == b.Similarity
	}) {
		t.Errorf("the edit of hospital changed the default one from %+v to %+v", before, got)
	}
	if got := w.All(); len(got) != 2 || got[0] != w.Current() || got[1].Name != "hospital" {
		t.Errorf("in use are %+v", got)
	}
	if name := <-edited; name != "hospital" {
		t.Errorf("edited is %s", name)
	}
	if n := len(slices.DeleteFunc(e.texts(), func(text string) bool { return text != "walking" && text != "running" })); n != 2 {
		t.Errorf("texts of both were embedded %d times", n)
	}
	for _, name := range []string{"default", "hospital"} {
		stagetest.Await(t, "what is in force is announced", func() bool {
			force, err := vocab.NewStore(s.Client, "f:").InForce(t.Context(), name)
			return err == nil && len(force) == 1 && force[0].Version == w.Of(now(t), name).Version
		})
	}
}

// Clips of other cameras must not wait for a vocabulary that has nothing to score
// against.
func TestAVocabularyWithoutLabelsIsNotAwaited(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "walking", "")
	s.HSet(t, "f:vocab:refused", "endless", "")
	w := watch(t, s, setup{})
	<-w.Ready()
	for _, name := range []string{"missing", "refused"} {
		if m := w.Of(soon(t), name); m != nil {
			t.Errorf("%s is %+v", name, m)
		}
	}
	w.reports.AwaitWarning(t, "vocabulary missing", "has no labels yet")
	w.reports.AwaitWarning(t, "embeddings of vocabulary refused", "none of the 1 labels of vocabulary refused can be embedded")
	w.awaitHealth(t, "")
	s.HSet(t, "f:vocab:missing", "falling", "")
	stagetest.Await(t, "its label", func() bool { m := w.Of(now(t), "missing"); return m != nil && m.Len() == 1 })
	s.HSet(t, "f:vocab:refused", "falling", "")
	stagetest.Await(t, "the label that can be used", func() bool { m := w.Of(now(t), "refused"); return m != nil && m.Len() == 1 })
	w.reports.AwaitWarning(t, "embeddings of vocabulary refused", "")
}

// A thousand new labels of one vocabulary take minutes on a busy processor, and a label
// that is added to another must not wait for them.
func TestASmallEditDoesNotWaitForALargeOneElsewhere(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "walking", "")
	var large []string
	for i := range 3 * maxChunk {
		large = append(large, fmt.Sprint("large ", i), "")
	}
	s.HSet(t, "f:vocab:hospital", large...)
	pass := make(chan struct{})
	var held atomic.Bool
	e := &embedder{gate: func(ctx context.Context, texts []string) error {
		if !strings.HasPrefix(texts[0], "large ") {
			return nil
		}
		held.Store(true)
		select {
		case <-pass:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	w := watch(t, s, setup{Embedder: e})
	<-w.Ready()
	w.Of(now(t), "hospital")
	stagetest.Await(t, "the large one to begin", held.Load)
	set(t, s, "running", "")
	time.Sleep(2 * quick) // it is seen while the model is busy
	stagetest.Await(t, "the small one", func() bool {
		select {
		case pass <- struct{}{}:
		default:
		}
		return w.Current().Len() == 2
	})
	if w.Of(now(t), "hospital") != nil {
		t.Error("the small edit waited for the large one")
	}
	close(pass)
	if m := w.Of(soon(t), "hospital"); m == nil || m.Len() != 3*maxChunk {
		t.Errorf("hospital is %+v", m)
	}
}
