package cameras_test

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A status counts while its worker lives and holds the camera.
func TestAStatusCountsWhileItsWorkerLives(t *testing.T) {
	for _, c := range []struct {
		name                string
		state               topics.StreamState
		age                 time.Duration // of the status
		worker              time.Duration // age of the worker's record, negative: none
		held                []int
		generation, current int
		want                topics.StreamState
		reason              string
	}{
		{"alive", topics.StreamStreaming, time.Hour, time.Second, []int{0}, 3, 3, topics.StreamStreaming, ""},
		{"alive through rebalances", topics.StreamStreaming, time.Hour, time.Second, []int{0, 1}, 3, 9, topics.StreamStreaming, ""},
		{"killed", topics.StreamStreaming, time.Hour, time.Minute, []int{0}, 3, 3, "", "has not been heard of for 1m0s"},
		{"killed while waiting", topics.StreamWaiting, time.Hour, time.Minute, []int{0}, 3, 3, "", "has not been heard of for 1m0s"},
		{"gone long ago", topics.StreamStreaming, time.Hour, -1, nil, 3, 0, "", "its worker w is gone"},
		{"just begun", topics.StreamStreaming, time.Second, -1, nil, 3, 0, topics.StreamStreaming, ""},
		{"woken after its camera had moved", topics.StreamStreaming, time.Hour, time.Second, []int{1}, 3, 4, "", "no longer holds it"},
		{"stopped, its worker gone", topics.StreamStopped, time.Hour, -1, nil, 3, 0, topics.StreamStopped, "end of file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.put(t, topics.Camera{Name: "a", URL: "rtsp://h/1"})
			s := topics.StreamStatus{Camera: "a", State: c.state, Worker: "w", Generation: c.generation, Codec: "h264"}
			if c.state == topics.StreamStopped {
				s.Reason = "end of file"
			}
			f.reported(t, s, c.age)
			if c.worker >= 0 {
				value, err := topics.EncodeWorker(topics.Worker{Name: "w", Stages: map[string]topics.WorkerStage{"ingest": {Generation: c.current, Partitions: c.held}}})
				if err != nil {
					t.Fatal(err)
				}
				f.workers.write("w", value, time.Now().Add(-c.worker))
			}
			all, err := f.List(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatalf("%v, %v", all, err)
			}
			if got := all[0].Status; got.State != c.want || !strings.Contains(got.Reason, c.reason) || got.Codec != "h264" {
				t.Errorf("got %+v, want %q, %q", got, c.want, c.reason)
			}
		})
	}
}

// A disabled camera is not watched, whatever was reported of it before.
func TestADisabledCameraIsStopped(t *testing.T) {
	f := newFixture(t)
	f.put(t, topics.Camera{Name: "a", URL: "rtsp://h/1", Disabled: true})
	f.reported(t, topics.StreamStatus{Camera: "a", State: topics.StreamStreaming, Worker: "w", Codec: "h264"}, time.Hour)
	all, err := f.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	if got := all[0].Status; got.State != topics.StreamStopped || got.Reason != topics.DisabledReason || got.Codec != "" {
		t.Errorf("got %+v", got)
	}
}
