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
	"github.com/frostwatch/frostwatch/topics"
)

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
	if err := client.Ensure(t.Context(), bus.TopicSpecs(names, 4, 1)); err != nil {
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
