package ingest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// A film that pauses before it is played again is no camera without clips; one that
// pauses again and again is.
func TestOnePauseIsNoLackOfClips(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	begun := now
	r := &runner{Stage: &Stage{Options: Options{Now: func() time.Time { return now }}}}
	video := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); now = now.Add(500 * time.Millisecond) {
			r.came(now.Sub(begun), false)
		}
	}
	lacking := func(want time.Time) {
		t.Helper()
		if got := r.lackingSince(begun); !got.Equal(want) {
			t.Errorf("at %v clips are lacking since %v, want %v", now, got, want)
		}
	}
	video(5 * time.Second)
	lacking(begun)
	clip := now
	r.clipped.Store(clip.UnixNano())
	video(2 * time.Second)
	lacking(clip)
	now = now.Add(4 * time.Second)
	resumed := now
	video(4 * time.Second)
	lacking(resumed)
	now = now.Add(4 * time.Second)
	video(4 * time.Second)
	lacking(resumed)
	clip = now
	r.clipped.Store(clip.UnixNano())
	lacking(clip)
}

// A camera that streams while no clip of it reaches Kafka is reported, and the worker
// is not ready where that is so for all its cameras.
func TestProgressIsClipsOnKafka(t *testing.T) {
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	send := func(context.Context, ...bus.Message) ([]topics.RecordRef, error) { return nil, nil }
	refuse := func(context.Context, ...bus.Message) ([]topics.RecordRef, error) { return nil, errors.New("away") }
	b := newBoard("t.status", newTape(0), s.Logger)
	waits := make(chan struct{}) // no stream is opened
	camera := func(c topics.Camera, send bus.SendFunc) *runner {
		return s.start(t.Context(), c, 0, time.Time{}, waits, b, send)
	}
	good, mute := camera(topics.Camera{Name: "good"}, send), camera(topics.Camera{Name: "mute"}, refuse)
	rare := camera(topics.Camera{Name: "rare", Stride: topics.Stride{Time: time.Minute}}, refuse)
	off := camera(topics.Camera{Name: "off"}, send)
	all := []*runner{good, mute, rare, off}
	stopAll := func() {
		close(waits)
		for _, c := range all {
			c.stop()
		}
	}
	for _, c := range all[:3] {
		c.status(topics.StreamStatus{State: topics.StreamStreaming})
	}
	off.status(topics.StreamStatus{State: topics.StreamWaiting})
	clips := func(c *runner) { _, _ = c.send(t.Context(), bus.Message{}) }
	pass := func(d time.Duration) {
		now = now.Add(d)
		s.look(now)
	}

	pass(9 * time.Second)
	if len(r.warned) > 0 || s.progress.check() != nil {
		t.Errorf("too soon: %v, %v", r.warned, s.progress.check())
	}
	clips(good)
	clips(mute) // refused: no progress
	pass(2 * time.Second)
	s.examine(now)
	if got := mute.state.Load().Reason; got != "no clip since 12:00:00 UTC: none has reached Kafka" {
		t.Errorf("the status of mute says %q", got)
	}
	if got := good.state.Load().Reason; got != "" {
		t.Errorf("the status of good says %q", got)
	}
	if !strings.Contains(r.warning("camera mute"), "no clip of it has reached Kafka for 11s") || len(r.warned) != 1 {
		t.Errorf("want a warning of mute alone: %v", r.warned)
	}
	if err := s.progress.check(); err != nil {
		t.Errorf("one camera's fault is the worker's: %v", err)
	}
	pass(3 * time.Minute)
	if len(r.warned) != 3 {
		t.Errorf("want a warning of each: %v", r.warned)
	}
	if err := s.progress.check(); err == nil || !strings.Contains(err.Error(), "no clip reaches Kafka from any of the cameras that stream (3)") {
		t.Errorf("the worker's own state: %v", err)
	}
	// The true cause is named: of a video that breaks off, Kafka gets no clip.
	r.mu.Lock()
	r.broken["mute"] = "its video broke off after 3s"
	r.mu.Unlock()
	_, _ = mute.newSink()
	pass(time.Second)
	if got := r.warning("camera mute"); got != "it streams, but no clip of it has been made for 3m12s: its video broke off after 3s" {
		t.Errorf("a video that breaks off: %q", got)
	}
	if err := s.progress.check(); err == nil || !strings.Contains(err.Error(), "reaches Kafka") {
		t.Errorf("one of three breaks off: %v", err)
	}
	r.mu.Lock()
	r.broken["good"], r.broken["rare"] = "no frames", "no frames"
	r.mu.Unlock()
	_, _ = good.newSink()
	_, _ = rare.newSink()
	pass(time.Second)
	if err := s.progress.check(); err == nil || !strings.Contains(err.Error(), "the video of every camera that streams (3) breaks off before a clip is complete") {
		t.Errorf("all break off: %v", err)
	}
	s.examine(now)
	if got := mute.state.Load().Reason; got != "no clip since 12:00:00 UTC: its video broke off after 3s" && got != "no clip since 12:00:00 UTC: no frames" {
		t.Errorf("the status of mute says %q", got)
	}
	rare.health.frame = now.Add(-6 * time.Second)
	s.look(now)
	s.examine(now)
	if got := rare.state.Load().Reason; got != "no clip since 12:00:00 UTC: no frame since 12:03:07 UTC" {
		t.Errorf("the status of rare says %q", got)
	}
	clips(good)
	pass(time.Second)
	s.examine(now)
	if got := good.state.Load().Reason; got != "" {
		t.Errorf("clips come again, and the status says %q", got)
	}
	if r.warning("camera good") != "" || s.progress.check() != nil {
		t.Errorf("clips come again: %v, %v", r.warned, s.progress.check())
	}
	stopAll()
	if len(r.warned) > 0 {
		t.Errorf("cameras that are gone are warned of: %v", r.warned)
	}
	s.look(now)
	if err := s.progress.check(); err != nil {
		t.Errorf("nothing to do is well: %v", err)
	}
}
