package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// statuses are all that were published of a camera.
func (r *recorder) statuses(camera string) []topics.StreamStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]topics.StreamStatus(nil), r.status[camera]...)
}

// Alerts rest on what is tested here: a camera is offline from its last frame, or from
// the first try where there was none, until it has given video for as long as a clip
// takes, whatever happens in between.
func TestACameraIsOfflineUntilItHasGivenAClipsLengthOfVideo(t *testing.T) {
	r := newRecorder()
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", shared.Path(t, "model", "demo", "yard_fence.mp4"), camsim.FileOptions{Speed: 2})
	})
	begun := time.Now()
	o := testOptions(r)
	o.Window = 2 * time.Second
	watch(t, o, topics.Camera{Name: "cam", URL: sim.URL("cam")}, topics.Camera{Name: "dead", URL: "rtsp://" + deadPort(t) + "/x"})
	until(t, "video for as long as a clip takes", 20*time.Second, func() bool {
		s := r.last("cam")
		return s.State == topics.StreamStreaming && s.OfflineSince.IsZero()
	})
	for _, s := range r.statuses("cam") {
		if s.State == topics.StreamConnecting && s.OfflineSince.Before(begun) {
			t.Errorf("before the first frame: offline since %v, which is before the first try", s.OfflineSince)
		}
	}
	lost := time.Now()
	sim.Stop("cam")
	until(t, "several tries", 20*time.Second, func() bool { return r.last("cam").Attempt > 2 })
	since := r.last("cam").OfflineSince
	if since.Before(lost.Add(-2*time.Second)) || since.After(lost.Add(2*time.Second)) {
		t.Errorf("offline since %v, lost at %v", since, lost)
	}
	for i, s := range r.statuses("cam") {
		if s.At.Before(lost) || s.OfflineSince.IsZero() {
			continue
		}
		if !s.OfflineSince.Equal(since) {
			t.Errorf("status %d: offline since %v, then %v", i, since, s.OfflineSince)
		}
	}
	if s := r.last("dead"); s.OfflineSince.Before(begun) || s.At.Sub(s.OfflineSince) < time.Second {
		t.Errorf("a camera that never connected: %+v", s)
	}
	sim.Start("cam")
	until(t, "the camera's return", 20*time.Second, func() bool { return r.last("cam").OfflineSince.IsZero() })
}

// What is wrong is repeated, so that time passes for those who read of it; a camera
// that is stopped says nothing more. The next worker goes on where this one stopped.
func TestStatusesAreRepeated(t *testing.T) {
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	b := newBoard("t.status", newTape(0), s.Logger)
	waits := make(chan struct{}) // no stream is opened
	before := now.Add(-time.Hour)
	c := s.start(t.Context(), topics.Camera{Name: "cam"}, 0, before, waits, b, func(_ context.Context, _ ...bus.Message) ([]topics.RecordRef, error) { return nil, nil })
	posted := func() *topics.StreamStatus {
		b.mu.Lock()
		defer b.mu.Unlock()
		p := b.pending["cam"]
		delete(b.pending, "cam")
		return p
	}
	pass := func(d time.Duration) *topics.StreamStatus {
		now = now.Add(d)
		s.examine(now)
		return posted()
	}
	c.status(topics.StreamStatus{State: topics.StreamWaiting, Reason: "refused"})
	if p := posted(); !p.OfflineSince.Equal(before) || !p.At.Equal(now) {
		t.Errorf("taken over: %+v", p)
	}
	if p := pass(8 * time.Second); p != nil {
		t.Errorf("repeated after 8 s: %+v", p)
	}
	if p := pass(2 * time.Second); p == nil || p.Reason != "refused" || !p.At.Equal(now) || !p.OfflineSince.Equal(before) {
		t.Errorf("not repeated after 10 s: %+v", p)
	}
	_, _ = c.newSink()
	c.status(topics.StreamStatus{State: topics.StreamStreaming})
	for i := range 25 * 25 { // a second more than it takes to count the rate
		now = now.Add(time.Second / 25)
		c.came(time.Duration(i)*time.Second/25, false)
		// 4.267 s of video are 106.7 frames' time.
		if offline := !c.state.Load().OfflineSince.IsZero(); offline != (i < 107) {
			t.Fatalf("offline after frame %d: %v", i, offline)
		}
	}
	s.examine(now)
	if p := posted(); p == nil || !p.OfflineSince.IsZero() || p.Rate != 25 {
		t.Errorf("after 25 s of video: %+v", p)
	}
	if p := pass(30 * time.Second); p == nil || p.Rate > 1 {
		t.Errorf("without frames for 30 s: %+v", p)
	}
	if p := pass(59 * time.Second); p != nil && p.Rate != 0 {
		t.Errorf("repeated too soon: %+v", p)
	}
	r.mu.Lock()
	r.pictures["cam"] = &topics.PictureFaults{BlackSince: now}
	r.mu.Unlock()
	if p := pass(2 * time.Second); p == nil || p.Picture == nil || p.Picture.BlackSince.IsZero() {
		t.Errorf("a black picture: %+v", p)
	}
	if p := pass(10 * time.Second); p == nil {
		t.Error("a black picture is not repeated")
	}
	for _, c := range []struct {
		lens     topics.LensFaults
		repeated bool
	}{{topics.LensFaults{CoveredSince: now}, true}, {topics.LensFaults{}, false}} {
		r.mu.Lock()
		r.pictures["cam"] = &topics.PictureFaults{Lens: &c.lens}
		r.mu.Unlock()
		if p := pass(2 * time.Second); p == nil || *p.Picture.Lens != c.lens {
			t.Errorf("a lens of which is known %+v: %+v", c.lens, p)
		}
		if p := pass(10 * time.Second); (p != nil) != c.repeated {
			t.Errorf("a lens of which is known %+v: repeated with %+v", c.lens, p)
		}
	}
	c.cancel() // so that it does not begin once it may
	close(waits)
	c.stop()
	if p := pass(time.Hour); p != nil {
		t.Errorf("a stopped camera says %+v", p)
	}
	c.repeat() // by one who still had it on a list
	if p := posted(); p != nil {
		t.Errorf("a stopped camera says %+v", p)
	}
}
