package ingest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// tape is a partition whose records the test writes.
type tape struct {
	send      bus.SendFunc
	committed int64
	mu        sync.Mutex
	records   []bus.Message // the offset is the index; one without a key was compacted away
	at        int
	grown     chan struct{}
	moved     bool // to another worker
}

func newTape(committed int64) *tape { return &tape{committed: committed, grown: make(chan struct{})} }

func (p *tape) write(key, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = append(p.records, bus.Message{Topic: "t.cameras", Offset: int64(len(p.records)), Key: []byte(key), Value: []byte(value)})
	close(p.grown)
	p.grown = make(chan struct{})
}

func (p *tape) ID() int          { return 0 }
func (p *tape) Generation() int  { return 7 }
func (p *tape) Committed() int64 { return p.committed }

func (p *tape) ReadToEnd(ctx context.Context, from int64, fn func(bus.Message) error) error {
	p.mu.Lock()
	end := len(p.records)
	p.mu.Unlock()
	for p.at = int(from); p.at < end; {
		m, err := p.Fetch(ctx)
		if err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (p *tape) Fetch(ctx context.Context) (bus.Message, error) {
	for {
		p.mu.Lock()
		for p.at < len(p.records) && len(p.records[p.at].Key) == 0 {
			p.at++
		}
		if p.at < len(p.records) {
			m := p.records[p.at]
			p.at++
			p.mu.Unlock()
			return m, nil
		}
		grown := p.grown
		p.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return bus.Message{}, ctx.Err()
		}
	}
}

func (p *tape) Commit(_ context.Context, next int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = next
	return nil
}

func (p *tape) Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	p.mu.Lock()
	moved := p.moved
	p.mu.Unlock()
	if moved {
		return nil, bus.ErrMoved
	}
	return p.send(ctx, msgs...)
}

// move gives the partition to another worker, before this one knows.
func (p *tape) move() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = true
}

func (p *tape) done() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.committed
}

// Cameras are added, changed and removed while others run on; a record that
// nobody can read is put aside once, and what lies beside the cameras is let lie.
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
	// What was said of a camera that was removed while no worker ran goes, too.
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
	if !epochs("a", 1)() || r.epochs["gone"] != 0 {
		t.Errorf("epochs: %v", r.epochs)
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

// Once a partition is another worker's, nothing is said of its cameras: it would
// stand over what the new one says.
func TestAWorkerThatLostItsCamerasSaysNothingOfThem(t *testing.T) {
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

// Two workers on one broker share the cameras; when one leaves, the other takes
// over what it had.
func TestWorkersShareCameras(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", fence, camsim.FileOptions{}) })
	client, err := bus.New(bus.Options{Brokers: []string{kafkatest.StartEmbedded(t).Addr()}, Logger: testOptions(nil).Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	names := topics.Names{Prefix: "t."}
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(4, 1) {
		specs = append(specs, bus.TopicSpec{Name: names.Of(s.Topic), Partitions: s.Partitions, Replication: 1, Config: s.Config})
	}
	if err := client.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	cameras := []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"}
	for _, name := range cameras {
		value, err := topics.EncodeCamera(topics.Camera{Name: name, URL: sim.URL("cam")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Send(t.Context(), bus.Message{Topic: names.Of(topics.Cameras), Key: []byte(name), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	workers := map[string]*recorder{"first": newRecorder(), "second": newRecorder()}
	reading, stopReading := context.WithCancel(context.Background())
	var read sync.WaitGroup
	t.Cleanup(func() { stopReading(); read.Wait() })
	read.Go(func() {
		err := client.ReadAll(reading, names.Of(topics.Status), time.Time{}, true, func(m bus.Message) error {
			s, err := topics.DecodeStatus(m.Value)
			if err != nil {
				return err
			}
			_, err = workers[s.Worker].Send(reading, m)
			return err
		})
		if reading.Err() == nil {
			t.Error(err)
		}
	})
	worker := func(name string) (*recorder, func()) {
		r := workers[name]
		o := testOptions(r)
		o.Bus, o.Worker = client, name
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var done sync.WaitGroup
		done.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		return r, func() { cancel(); done.Wait() }
	}
	// epochs are how often each worker has opened each camera, all of which stream.
	epochs := func(r *recorder) map[string]int {
		out := map[string]int{}
		for _, c := range cameras {
			if r.last(c).State == topics.StreamStreaming && len(r.frames(c)) > 0 {
				r.mu.Lock()
				out[c] = r.epochs[c]
				r.mu.Unlock()
			}
		}
		return out
	}
	first, stopFirst := worker("first")
	t.Cleanup(stopFirst)
	until(t, "one worker with all cameras", 30*time.Second, func() bool { return len(epochs(first)) == len(cameras) })
	second, stopSecond := worker("second")
	until(t, "two workers with all cameras between them", 60*time.Second, func() bool {
		a, b := epochs(first), epochs(second)
		return len(b) > 0 && len(a)+len(b) == len(cameras)
	})
	stayed := epochs(first)
	if len(stayed) == 0 {
		t.Error("no camera stayed where it was")
	}
	for c, n := range stayed {
		if n != 1 {
			t.Errorf("%s stayed, and was opened %d times", c, n)
		}
	}
	for c := range epochs(second) {
		if st := first.last(c); st.State != topics.StreamStopped || st.Reason != "its worker has given it up" {
			t.Errorf("%s moved, and its first worker left it as %+v", c, st)
		}
	}
	stopSecond()
	until(t, "one worker with all cameras again", 60*time.Second, func() bool { return len(epochs(first)) == len(cameras) })
	for c := range stayed {
		if n := epochs(first)[c]; n != 1 {
			t.Errorf("%s stayed while the second worker left, and was opened %d times", c, n)
		}
	}
}
