package infer

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// bright makes the model fail on white clips.
func bright(frames []byte, batch int) error {
	for i := range batch {
		if clip := frames[i*len(frames)/batch:]; clip[0] > 250 && clip[1] > 250 && clip[2] > 250 {
			return errors.New("too bright")
		}
	}
	return nil
}

// A clip that the model fails on is a dead letter; those around it are recognised.
func TestPoisonousClip(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	good, bad := jpegOf(t, 48, 32, color.RGBA{200, 100, 50, 255}), jpegOf(t, 48, 32, color.White)
	now := time.Now()
	const n = 10
	for i := range n {
		if i == 2 || i == 3 || i == 7 {
			r.send("bad", clipOf(t, "bad", i, bad, now))
		}
		r.send("a", clipOf(t, "a", i, good, now))
	}
	m := r.model("delicate")
	m.fault = bright
	runUntil(t, r.options(m.recogniser()), func() bool {
		return len(r.read(topics.Actions)) >= n && len(r.read(topics.DeadLetter)) >= 3
	})
	r.wantEach(map[string]int{"a": n})
	for _, letter := range r.read(topics.DeadLetter) {
		if why := (bus.HeaderCarrier{Headers: &letter.Headers}).Get(topics.HeaderReason); !strings.Contains(why, "too bright") || string(letter.Key) != "bad" {
			t.Errorf("dead letter of %s: %s", letter.Key, why)
		}
	}
	// It is not tried again.
	r.send("a", clipOf(t, "a", n, good, now))
	runUntil(t, r.options(r.model("second").recogniser()), func() bool { return len(r.read(topics.Actions)) > n })
	r.wantEach(map[string]int{"a": n + 1})
}

// A model that fails on every clip ends the stage with the reason, and no clip is
// lost.
func TestModelBreaks(t *testing.T) {
	broken := func([]byte, int) error { return errors.New("device lost") }
	for _, c := range []struct {
		name  string
		spoil func(*fakeModel)
		want  string
	}{
		{"runs fail", func(m *fakeModel) { m.fault = broken }, "device lost"},
		{"no numbers", func(m *fakeModel) { m.spoil = true }, "not finite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 2)
			frame := jpegOf(t, 48, 32, color.White)
			now := time.Now()
			want := map[string]int{"a": 6, "b": 6, "c": 6}
			for camera, n := range want {
				for i := range n {
					r.send(camera, clipOf(t, camera, i, frame, now))
				}
			}
			m := r.model("broken")
			c.spoil(m)
			s, err := New(r.options(m.recogniser()))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), stagetest.Patience)
			defer cancel()
			err = s.Run(ctx)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "model broken fails on a black clip as well") {
				t.Errorf("the stage ends with %v", err)
			}
			if !m.isClosed() || len(r.read(topics.DeadLetter)) != 0 {
				t.Errorf("closed %v, %d dead letters", m.isClosed(), len(r.read(topics.DeadLetter)))
			}
			runUntil(t, r.options(r.model("sound").recogniser()), func() bool { return len(r.read(topics.Actions)) >= 18 })
			r.wantEach(want)
		})
	}
}

// A partition moves to a second worker while the first is stuck in a run. The
// second worker recognises the first one's clips of it, those in the run included;
// the partition that stays is not disturbed.
func TestPartitionsMoveInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	frame := jpegOf(t, 48, 32, color.White)
	now := time.Now()
	const cameras, each = 6, 8
	for i := range each {
		for c := range cameras {
			camera := fmt.Sprint("camera-", c)
			r.send(camera, clipOf(t, camera, i, frame, now))
		}
	}
	stuck := r.model("stuck")
	stuck.gate = make(chan struct{})
	first := r.options(stuck.recogniser())
	first.MaxBatch = 2
	_, stopFirst := start(t, first)
	<-stuck.begun
	second := r.options(r.model("helper").recogniser())
	second.Bus = r.newClient()
	_, stopSecond := start(t, second)
	stagetest.Await(t, "the second worker to recognise", func() bool { return len(r.read(topics.Actions)) > 0 })
	close(stuck.gate)
	clips := func() map[string]int {
		times := map[string]int{}
		for _, recognitions := range r.recognitions() {
			for _, rec := range recognitions {
				times[rec.ClipID]++
			}
		}
		return times
	}
	stagetest.Await(t, "all clips", func() bool { return len(clips()) == cameras*each })
	for _, stop := range []func() error{stopFirst, stopSecond} {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	// What was in a run for the partition that moved is recognised by the second
	// worker alone; what is in one for the other partition is not disturbed.
	for id, n := range clips() {
		if n != 1 {
			t.Errorf("clip %s was published %d times", id, n)
		}
	}
	for _, camera := range r.recognitions() {
		for i, rec := range camera {
			if rec.Sequence != uint64(i) {
				t.Errorf("%s: clip %d comes at place %d", rec.Camera, rec.Sequence, i)
			}
		}
	}
}
