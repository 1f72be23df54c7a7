package ingest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// A camera that is disabled is left alone, by a worker that takes over as well, and its
// status says so and since when; enabled, it is read.
func TestADisabledCameraIsLeftAlone(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	record := func(more string) string { return `{"name":"a","url":"file://` + fence + `"` + more + `}` }
	begun := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	left, err := json.Marshal(topics.StreamStatus{Camera: "a", State: topics.StreamStopped, Reason: topics.DisabledReason, Since: begun})
	if err != nil {
		t.Fatal(err)
	}
	r.left = []bus.Message{{Key: []byte("a"), Value: left}}
	p.write("a", record(`,"disabled":true`))
	hold(t, s, p)
	disabled := func() bool {
		r.mu.Lock()
		n := len(r.status["a"])
		r.mu.Unlock()
		return n > 0 && r.last("a").State == topics.StreamStopped && r.last("a").Reason == topics.DisabledReason
	}
	until(t, "its status", 10*time.Second, disabled)
	if st := r.last("a"); !st.Since.Equal(begun) || !st.OfflineSince.IsZero() {
		t.Errorf("%+v", st)
	}
	p.write("a", record(""))
	until(t, "frames of it", 10*time.Second, func() bool { return len(r.frames("a")) > 3 })
	p.write("a", record(`,"disabled":true`))
	until(t, "its status once more", 10*time.Second, disabled)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epochs["a"] != 1 || r.gone["a"] != 0 {
		t.Errorf("%d connections, %d removals of its status", r.epochs["a"], r.gone["a"])
	}
}
