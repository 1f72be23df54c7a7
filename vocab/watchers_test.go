package vocab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func watchers(t *testing.T, s *redistest.Server, unused time.Duration) (*Watchers, *stagetest.Reports) {
	t.Helper()
	r := stagetest.NewReports()
	w, err := NewWatchers(WatcherOptions{
		Client: s.Client, Prefix: "f:", Name: "default", Poll: 20 * time.Millisecond,
		Logger: (&stagetest.Log{}).Logger(), Meter: noop.NewMeterProvider().Meter(""), Reporter: r,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.every, w.unused = 20*time.Millisecond, unused
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w, r
}

func namesOf(w *Watchers) (out []string) {
	for _, one := range w.All() {
		out = append(out, one.Name)
	}
	return out
}

// A vocabulary is followed while somebody asks for it. A fault of one is a warning of
// its own, and changes nothing for the others.
func TestFurtherVocabulariesAreFollowedWhileInUse(t *testing.T) {
	s := redistest.Start(t)
	w, r := watchers(t, s, 2*time.Second)
	set(t, s, "walking", "")
	if w.Current("hospital") != nil {
		t.Error("a vocabulary is there before it was read")
	}
	warned := func(want string) {
		t.Helper()
		stagetest.Await(t, want, func() bool {
			w.Current("hospital") // stays in use
			err := r.WarningOf("vocabulary hospital")
			return (err == nil) == (want == "") && strings.Contains(fmt.Sprint(err), want)
		})
	}
	warned("vocabulary hospital has no labels yet (Redis key f:vocab:hospital): nothing is recognised on its cameras until one is added")
	changed := w.Changed()
	s.HSet(t, "f:vocab:hospital", "nurse washing hands", "")
	select {
	case <-changed:
	case <-time.After(stagetest.Patience):
		t.Fatal("no edit is announced")
	}
	warned("")
	stagetest.Await(t, "both vocabularies", func() bool {
		a, b := w.Current(""), w.Current("hospital")
		return a != nil && b != nil && a.Has("walking") && !a.Has("nurse washing hands") && b.Has("Nurse Washing Hands") && !b.Has("walking")
	})
	version := w.Current("").Version
	s.HSet(t, "f:vocab:hospital", "fall", "")
	stagetest.Await(t, "the edit", func() bool { return w.Current("hospital").Has("fall") })
	if w.Current("").Version != version {
		t.Error("an edit of one is one of the other")
	}
	if err := s.Client.Del(t.Context(), "f:vocab:hospital").Err(); err != nil {
		t.Fatal(err)
	}
	warned("came back empty")
	r.AwaitProblem(t, "vocabulary", "")
	if !w.Current("hospital").Has("fall") {
		t.Errorf("hospital has %+v", w.Current("hospital"))
	}
	stagetest.Await(t, "nobody to ask for it any more", func() bool { return slices.Equal(namesOf(w), []string{"default"}) })
	r.AwaitWarning(t, "vocabulary hospital", "")
	if w.Current("hospital") != nil {
		t.Error("what is no longer followed is still known")
	}
}

// Whoever can write the topic of clips can name any number.
func TestVocabulariesAreBounded(t *testing.T) {
	s := redistest.Start(t)
	w, _ := watchers(t, s, time.Hour)
	for i := range maxWatchers - 1 {
		if _, err := w.Of(fmt.Sprint("v", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Of("one more"); err == nil {
		t.Error("accepted one too many")
	}
	if one, err := w.Of("v3"); err != nil || one.Name != "v3" {
		t.Errorf("%v, %v", one, err)
	}
	if one, err := w.Of(""); err != nil || one != w.Default() {
		t.Errorf("%v, %v", one, err)
	}
}
