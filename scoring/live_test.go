package scoring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

func TestEditsByAnyoneAreScored(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	edits := make(chan []vocab.Change, 100)
	w := watch(t, s, setup{OnEdit: func(_ string, c []vocab.Change) { edits <- c }})
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
	stagetest.Await(t, "a new version", func() bool { return w.Current().Version != version })
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
	stagetest.Await(t, "the tag", func() bool { return slices.Equal(w.Current().Labels()[0].Tags, []string{"sport"}) })
	want := vocab.InForce{Model: "model", Dim: testDim, Version: w.Current().Version, Labels: 2, SkippedTotal: 2, Skipped: []string{
		`label "broken": its value begins with { and is not valid JSON: unexpected end of JSON input (at byte 1)`, `label "endless": 99 tokens: at most 77`,
	}}
	stagetest.Await(t, "what is in force is announced", func() bool {
		force, err := vocab.NewStore(s.Client, "f:").InForce(ctx, "default")
		return err == nil && len(force) == 1 && reflect.DeepEqual(force[0], want)
	})
	w.stop()
	for _, want := range []string{`msg="label added" label=wave`, `msg="label removed" label=fall`, `msg="label changed" label=run`, `msg="vocabulary: label skipped" label=broken`} {
		if n := w.log.Count(want); n != 1 {
			t.Errorf("%s: logged %d times", want, n)
		}
	}
	close(edits)
	var got []vocab.Change
	for c := range edits {
		for _, c := range c {
			c.Why = "" // worded elsewhere
			got = append(got, c)
		}
	}
	if want := []vocab.Change{{Label: "broken", What: vocab.Skipped}, {Label: "endless", What: vocab.Skipped}, {Label: "fall", What: vocab.Removed}, {Label: "run", What: vocab.Changed}, {Label: "wave", What: vocab.Added}}; !slices.Equal(got, want) {
		t.Errorf("edits %v", got)
	}
}

// A clip scored against no labels would be committed and lost.
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
	w.awaitHealth(t, "none of the 1 labels of vocabulary default can be embedded; what is wrong with the first: 99 tokens")
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("scored are %q", got)
	}
	if err := vocab.NewStore(s.Client, "f:").Clear(ctx, "default"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
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
	for _, l := range w.Current().Score(Clip{Mean: vectorOf("x")}, 1, 2, nil).Labels {
		if l.Novel != (l.Label == "fall") || l.NearestBase != "" {
			t.Errorf("before the base classes are embedded: %+v", l)
		}
	}
	set(t, s, "run", "") // taken over between two calls, once the watcher has seen it
	stagetest.Await(t, "the edit", func() bool {
		select {
		case pass <- struct{}{}:
			time.Sleep(quick) // a call of the model takes its time
		default:
		}
		return len(w.labels()) == 3
	})
	if near := w.Current().Score(Clip{Mean: vectorOf("x")}, 1, 1, nil).Labels[0].NearestBase; near != "" {
		t.Errorf("the edit waited for all base classes: %s is near", near)
	}
	close(pass)
	stagetest.Await(t, "the nearest base classes", func() bool {
		return w.Current().Score(Clip{Mean: vectorOf("x")}, 1, 1, nil).Labels[0].NearestBase != ""
	})
	_, b := embeddedTexts(nil, base)
	want := b.nearestTo(&embedding{vector: vectorOf("fall")}).name
	for _, l := range w.Current().Score(Clip{Mean: vectorOf("fall")}, 100, 1, nil).Labels {
		if l.Label != "fall" || l.NearestBase != want {
			t.Errorf("got %+v, want %s", l, want)
		}
	}
}

// On a busy processor base classes take minutes, and what is in force must be
// announced meanwhile: announcements expire.
func TestAnnouncementsGoOnDuringWork(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "fall", "")
	var base []string
	for i := range 2000 {
		base = append(base, fmt.Sprintf("class %d", i))
	}
	e := &embedder{gate: func(context.Context, []string) error {
		time.Sleep(chunkTime / 50) // a call of the model takes its time
		return nil
	}}
	w := watch(t, s, setup{Embedder: e, BaseClasses: base, Announce: time.Millisecond})
	w.awaitLabels(t, "fall")
	stagetest.Await(t, "a base class", func() bool { return s.Client.HLen(ctx, "f:embed:model").Val() > 1 })
	if err := s.Client.Del(ctx, "f:vocab-in-force:default").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "what is in force", func() bool {
		force, err := vocab.NewStore(s.Client, "f:").InForce(ctx, "default")
		return err == nil && len(force) == 1
	})
	if n := s.Client.HLen(ctx, "f:embed:model").Val(); n > int64(len(base)) {
		t.Error("it was announced only when nothing was left to do")
	}
}

func TestAFaultyModel(t *testing.T) {
	for _, c := range []struct {
		name string
		e    *embedder
		want string // reported problem; "": the label is skipped and nothing else is affected
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
