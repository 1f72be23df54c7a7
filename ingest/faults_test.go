package ingest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// A camera that goes away and comes back, or freezes, is opened anew, and the other
// camera goes on undisturbed.
func TestCamerasComeBackAndDoNotDisturbOthers(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		for _, name := range []string{"good", "bad"} {
			addFile(t, s, name, fence, camsim.FileOptions{})
		}
	})
	r := newRecorder()
	o := testOptions(r)
	o.ReadTimeout, o.Watchdog = 3*time.Second, 700*time.Millisecond
	cameras := []topics.Camera{{Name: "good", URL: sim.URL("good")}, {Name: "bad", URL: sim.URL("bad")}}
	watch(t, o, cameras...)
	streaming := func(epochs int) func() bool {
		return func() bool {
			n := len(r.frames("bad"))
			r.mu.Lock()
			defer r.mu.Unlock()
			return n > 3 && r.epochs["bad"] == epochs
		}
	}
	until(t, "streams", 20*time.Second, func() bool { return len(r.frames("good")) > 3 && streaming(1)() })

	sim.Stop("bad")
	until(t, "the loss", 10*time.Second, r.saw("bad", topics.StreamWaiting, "the camera has no stream at this path"))
	sim.Start("bad")
	until(t, "the return", 20*time.Second, streaming(2))

	sim.Pause("bad")
	until(t, "the freeze", 10*time.Second, r.saw("bad", topics.StreamWaiting, "no frame for 700ms"))
	sim.Resume("bad")
	until(t, "the thaw", 20*time.Second, streaming(3))

	if st := r.last("bad"); st.State != topics.StreamStreaming || st.Attempt != 0 || st.Codec != "h264" || st.Width != 640 {
		t.Errorf("status %+v", st)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epochs["good"] != 1 {
		t.Errorf("the good camera was opened %d times", r.epochs["good"])
	}
	times := r.times["good"]
	for i := range times[1:] {
		if step := times[i+1] - times[i]; step < 60*time.Millisecond || step > 70*time.Millisecond {
			t.Fatalf("the good camera has a step of %v", step)
		}
	}
}

// A camera can be removed at once, whatever libav is waiting for.
func TestStoppingIsPrompt(t *testing.T) {
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "frozen", shared.Path(t, "model", "demo", "yard_fence.mp4"), camsim.FileOptions{})
	})
	r := newRecorder()
	o := testOptions(r)
	o.OpenTimeout, o.ReadTimeout, o.Watchdog = time.Hour, time.Hour, time.Hour
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	var connected atomic.Bool
	opening := talker(t, func(net.Conn) { connected.Store(true) })
	for _, c := range []struct {
		name, url string
		ready     func() bool // to be stopped in the middle of something
	}{
		{"opening", "rtsp://" + opening + "/x", connected.Load},
		{"frozen", sim.URL("frozen"), func() bool { return len(r.frames("frozen")) > 0 }},
		{"refused", "rtsp://" + deadPort(t) + "/x", r.saw("refused", topics.StreamWaiting, "refused")},
	} {
		b := newBoard("t.status", p, s.Logger)
		posting, stopPosting := context.WithCancel(t.Context())
		var posted sync.WaitGroup
		posted.Go(func() { b.run(posting) })
		camera := s.start(t.Context(), topics.Camera{Name: c.name, URL: c.url}, 0, time.Time{}, nil, b, r.Send)
		until(t, c.name, 20*time.Second, c.ready)
		if c.name == "frozen" {
			sim.Pause(c.name)
		}
		begun := time.Now()
		camera.stop()
		if d := time.Since(begun); d > 10*time.Second {
			t.Errorf("%s: stopping took %v", c.name, d)
		}
		stopPosting()
		posted.Wait()
	}
}
