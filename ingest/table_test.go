package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Cameras are added, changed and removed while others run on. A record that can't
// be read becomes a dead letter once; records that are no cameras are passed over.
func TestTheTableIsFollowed(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	record := func(name string) string { return `{"name":"` + name + `","url":"file://` + fence + `"}` }
	p := newTape(3)
	p.send = r.Send
	p.write("gone", record("gone"))
	p.write("old", "unreadable, and put aside by an earlier worker")
	p.write("a", record("a"))
	p.write("gone", "")
	p.write("new", `{"name":"new"}`)
	p.write("", "compacted away")
	p.write("set/file/f", `{"source":"file","id":"f","cameras":{}}`)
	for key, value := range map[string]string{"gone": "{}", "removed": "", "a": "{}", "other-partition": "{}"} {
		r.left = append(r.left, bus.Message{Key: []byte(key), Value: []byte(value)})
	}
	give := hold(t, s, p)
	epochs := func(name string, n int) func() bool {
		return func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.epochs[name] == n && len(r.times[name]) > 0 }
	}
	until(t, "a", 10*time.Second, epochs("a", 1))
	// The status of a camera that was removed while no worker ran is removed too.
	until(t, "the status of one that is gone", 10*time.Second, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.gone["gone"] == 1 })

	p.write("b", record("b"))
	until(t, "b", 10*time.Second, epochs("b", 1))
	p.write("a", record("a")) // unchanged
	p.write("b", `{"name":"b","url":"file://`+fence+`","stride":"3s"}`)
	until(t, "b as changed", 10*time.Second, epochs("b", 2))
	p.write("b", `{"name":"other","url":"rtsp://h/x"}`) // goes on as it was
	p.write("b", "")
	until(t, "b's removal", 10*time.Second, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.gone["b"] == 1 })
	until(t, "commits", 10*time.Second, func() bool { return p.done() == 12 })
	if st := r.last("a"); st.State != topics.StreamStreaming || st.Generation != 7 {
		t.Errorf("a: %+v", st)
	}
	if !epochs("a", 1)() {
		t.Error("a was not left as it is")
	}
	give()
	if st := r.last("a"); st.State != topics.StreamStopped || st.Reason != "its worker has given it up" {
		t.Errorf("a: %+v", st)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var reasons []string
	for _, m := range r.dead {
		reasons = append(reasons, string(m.Key)+": "+bus.HeaderCarrier{Headers: &m.Headers}.Get(topics.HeaderReason))
	}
	if r.epochs["gone"] != 0 {
		t.Errorf("epochs: %v", r.epochs)
	}
	if len(r.gone) != 2 {
		t.Errorf("statuses removed: %v, want those of gone and b", r.gone)
	}
	want := []string{"new: camera new: url is empty", `b: the record's key is "b", its name "other"`}
	if len(reasons) != 2 || reasons[0] != want[0] || reasons[1] != want[1] {
		t.Errorf("dead letters %q, want %q", reasons, want)
	}
}

// A change of tags, or of who put the camera, reaches the clips to come and
// leaves the stream as it is.
func TestTagsChangeWithoutTouchingTheStream(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	record := func(more string) string { return `{"name":"a","url":"file://` + fence + `"` + more + `}` }
	tagged := func(want string) func() bool {
		return func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.tags["a"] == want }
	}
	p.write("a", record(`,"tags":["x"],"source":"file"`))
	hold(t, s, p)
	until(t, "frames", 10*time.Second, func() bool { return len(r.frames("a")) > 3 })
	if !tagged("x")() {
		t.Errorf("tags %q", r.tags["a"])
	}
	p.write("a", record(`,"tags":["y","z"],"source":"person"`))
	until(t, "the new tags", 10*time.Second, tagged("y,z"))
	p.write("a", record(`,"tags":["y","z"],"vocabulary":"hospital"`))
	until(t, "the vocabulary", 10*time.Second, tagged("y,z in hospital"))
	p.write("a", record(""))
	until(t, "no tags", 10*time.Second, tagged(""))
	n := len(r.frames("a"))
	until(t, "more frames", 10*time.Second, func() bool { return len(r.frames("a")) > n+3 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epochs["a"] != 1 || len(r.ended["a"]) > 0 {
		t.Errorf("%d connections, ended %q", r.epochs["a"], r.ended["a"])
	}
}

// Once a partition is another worker's, this one publishes no status of its cameras:
// it would replace what the other has published.
func TestAWorkerThatLostItsCamerasPublishesNoStatusOfThem(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	p.write("a", `{"name":"a","url":"file://`+fence+`"}`)
	give := hold(t, s, p)
	until(t, "streaming", 10*time.Second, r.saw("a", topics.StreamStreaming, ""))
	p.move()
	p.write("a", "")
	give()
	if st := r.last("a"); st.State != topics.StreamStreaming || r.gone["a"] != 0 {
		t.Errorf("after it had moved: %+v, removed %d times", st, r.gone["a"])
	}
}

// A camera whose record asks for what the sink refuses is stopped, with the
// reason.
func TestARefusedCameraIsStopped(t *testing.T) {
	r := newRecorder()
	o := testOptions(r)
	o.NewSink = func(topics.Camera, bus.SendFunc) (Sink, error) {
		return nil, media.NewFault(media.KindAddress, "stride of 1ns: want more")
	}
	watch(t, o, topics.Camera{Name: "cam", URL: "file:///x"})
	until(t, "the refusal", 10*time.Second, r.saw("cam", topics.StreamStopped, "stride of 1ns: want more"))
}

// Clips are sent under the partition's lease: once it is another worker's, none of
// this one's arrives behind the other's newer ones.
func TestClipsAreSentUnderTheLease(t *testing.T) {
	r := newRecorder()
	o := testOptions(r)
	sends := make(chan bus.SendFunc, 1)
	o.NewSink = func(c topics.Camera, send bus.SendFunc) (Sink, error) {
		sends <- send
		return &recorderSink{recorder: r, name: c.Name}, nil
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = func(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		return make([]topics.RecordRef, len(msgs)), nil
	}
	p.write("a", `{"name":"a","url":"file:///none"}`)
	hold(t, s, p)
	send := <-sends
	clip := bus.Message{Topic: "t.clips", Key: []byte("a"), Value: []byte("a clip")}
	if _, err := send(t.Context(), clip); err != nil {
		t.Errorf("while the partition is held: %v", err)
	}
	p.move()
	if _, err := send(t.Context(), clip); !errors.Is(err, bus.ErrMoved) {
		t.Errorf("once it has moved: %v, want %v", err, bus.ErrMoved)
	}
}
