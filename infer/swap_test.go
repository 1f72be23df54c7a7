package infer

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// The model is swapped three times while clips come, two of the swaps at the same
// time. Each clip is recognised once, in order, and never by an earlier model than
// the clip before.
func TestSwapUnderFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3)
	frame := jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255})
	models := []*fakeModel{r.model("0"), r.model("1"), r.model("2"), r.model("3")}
	s, stop := start(t, r.options(models[0].recogniser()))
	const cameras, each = 6, 40
	want := map[string]int{}
	for c := range cameras {
		want[fmt.Sprint("camera-", c)] = each
	}
	now := time.Now()
	var swaps sync.WaitGroup
	swap := func(m *fakeModel) {
		swaps.Go(func() {
			if err := s.Swap(t.Context(), m.recogniser()); err != nil {
				t.Error(err)
			}
		})
	}
	ran := func(m *fakeModel) {
		stagetest.Await(t, "model "+m.id+" to recognise", func() bool { return m.hasRun() })
	}
	for n := range each {
		for camera := range want {
			r.send(camera, clipOf(t, camera, n, frame, now))
		}
		switch n {
		case each / 4:
			ran(models[0])
			swap(models[1])
		case each / 2:
			ran(models[1])
			swap(models[2])
			swap(models[3])
		}
	}
	stagetest.Await(t, "the recognitions", func() bool { return len(r.read(topics.Actions)) >= cameras*each })
	swaps.Wait()
	last := s.services.inService().Model.ID()
	for _, m := range models {
		if m.isClosed() == (m.id == last) {
			t.Errorf("model %s: closed is %v while %s serves", m.id, m.isClosed(), last)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	r.wantEach(want)
	// The two swaps at once may have come in either order.
	place := map[string]int{"0": 0, "1": 1, "2": 2, "3": 2}
	place[last] = 3
	used := map[string]bool{}
	for camera, recognitions := range r.recognitions() {
		before := 0
		for _, rec := range recognitions {
			used[rec.Model] = true
			if place[rec.Model] < before {
				t.Errorf("%s: clip %d is model %s's, those before a later one's", camera, rec.Sequence, rec.Model)
			}
			before = place[rec.Model]
			if rec.Vocab.Version != "of "+rec.Model {
				t.Errorf("model %s with the vocabulary %s", rec.Model, rec.Vocab.Version)
			}
		}
	}
	if !used["0"] || !used["1"] || !used[last] {
		t.Errorf("models %v recognised clips, want at least 0, 1 and %s", used, last)
	}
	for _, m := range models {
		if !m.isClosed() {
			t.Errorf("model %s is not closed", m.id)
		}
	}
}

// A run is finished by the model that began it, which is not closed before.
func TestSwapDuringRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	now := time.Now()
	slow, next := r.model("slow"), r.model("next")
	slow.gate = make(chan struct{})
	s, stop := start(t, r.options(slow.recogniser()))
	r.send("a", clipOf(t, "a", 0, frame, now))
	<-slow.begun
	swapped := make(chan error, 1)
	go func() { swapped <- s.Swap(t.Context(), next.recogniser()) }()
	stagetest.Await(t, "the next model to be current", func() bool { return s.services.inService().Model.ID() == "next" })
	r.send("a", clipOf(t, "a", 1, frame, now))
	stagetest.Await(t, "the next clip to be bound", func() bool {
		s.services.mu.Lock()
		defer s.services.mu.Unlock()
		return s.services.newest.clips == 1
	})
	select {
	case err := <-swapped:
		t.Fatalf("the swap is over during the run: %v", err)
	default:
	}
	if slow.isClosed() {
		t.Fatal("the model is closed during its run")
	}
	slow.gate <- struct{}{}
	if err := <-swapped; err != nil || !slow.isClosed() {
		t.Errorf("swap: %v, closed %v", err, slow.isClosed())
	}
	stagetest.Await(t, "both recognitions", func() bool { return len(r.read(topics.Actions)) == 2 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	r.wantEach(map[string]int{"a": 2})
	if got := r.recognitions()["a"]; got[0].Model != "slow" || got[1].Model != "next" {
		t.Errorf("recognised by %s and %s", got[0].Model, got[1].Model)
	}
}

// A stage that ends closes all its models and refuses further ones.
func TestSwapAtTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	stuck, next, late := r.model("stuck"), r.model("next"), r.model("late")
	stuck.gate = make(chan struct{})
	s, stop := start(t, r.options(stuck.recogniser()))
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.White), time.Now()))
	<-stuck.begun
	swapped := make(chan error, 1)
	go func() { swapped <- s.Swap(t.Context(), next.recogniser()) }()
	stagetest.Await(t, "the next model to be current", func() bool { return s.services.inService().Model.ID() == "next" })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := <-swapped; !errors.Is(err, errEnded) {
		t.Errorf("the swap gives %v", err)
	}
	if err := s.Swap(context.Background(), late.recogniser()); !errors.Is(err, errEnded) {
		t.Errorf("a later one gives %v", err)
	}
	for _, m := range []*fakeModel{stuck, next, late} {
		if !m.isClosed() {
			t.Errorf("model %s is not closed", m.id)
		}
	}
	// The clip in the run was not acknowledged: it is recognised by the next worker.
	runUntil(t, r.options(r.model("heir").recogniser()), func() bool { return len(r.read(topics.Actions)) == 1 })
	if got := r.recognitions()["a"]; got[0].Model != "heir" {
		t.Errorf("recognised by %s", got[0].Model)
	}
}

// A model without a vocabulary is refused and closed, and nothing else changes.
func TestSwapRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	first, empty := r.model("first"), r.model("no vocabulary")
	empty.matrix = nil
	s, stop := start(t, r.options(first.recogniser()))
	if err := s.Swap(t.Context(), empty.recogniser()); err == nil || !empty.isClosed() {
		t.Errorf("swap: %v, closed %v", err, empty.isClosed())
	}
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.White), time.Now()))
	stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := r.recognitions()["a"]; got[0].Model != "first" {
		t.Errorf("recognised by %s", got[0].Model)
	}
}

// If closing the model before fails, the new one is in service all the same, and
// the error says so.
func TestSwapThatCannotClose(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	first, next := r.model("first"), r.model("next")
	stubborn := first.recogniser()
	stubborn.Close = func() error { return errors.Join(first.Close(), errors.New("device busy")) }
	s, stop := start(t, r.options(stubborn))
	err := s.Swap(t.Context(), next.recogniser())
	var unclosed *CloseError
	if !errors.As(err, &unclosed) || unclosed.Model != "first" || !strings.Contains(err.Error(), "device busy") {
		t.Errorf("swap: %v", err)
	}
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.White), time.Now()))
	stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := r.recognitions()["a"]; got[0].Model != "next" {
		t.Errorf("recognised by %s", got[0].Model)
	}
}
