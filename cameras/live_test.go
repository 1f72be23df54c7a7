package cameras_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What is followed is what a list shows, whatever was edited since.
func TestLiveIsTheList(t *testing.T) {
	f := newFixture(t)
	f.put(t, topics.Camera{Name: "lobby", URL: "rtsp://h/1"})
	ctx, stop := context.WithCancel(t.Context())
	live := f.Live()
	if _, err := live.List(); err == nil {
		t.Error("a list that was never read is taken for the cameras")
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { live.Run(ctx) })
	same := func() string {
		want, err := f.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := live.List()
		if err != nil || !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("%+v (%v), want %+v", got, err, want)
		}
		return ""
	}
	edits := []func(){
		func() {},
		func() {
			f.reported(t, topics.StreamStatus{Camera: "lobby", State: topics.StreamStreaming, Worker: "w"}, 0)
		},
		func() { f.put(t, topics.Camera{Name: "lobby", URL: "rtsp://h/2", Tags: []string{"ward"}}) },
		func() { f.put(t, topics.Camera{Name: "yard", URL: "rtsp://h/3"}) },
		func() { f.remove(t, "lobby") },
	}
	for i, edit := range edits {
		edit()
		deadline := time.Now().Add(10 * time.Second)
		for wrong := same(); wrong != ""; wrong = same() {
			if time.Now().After(deadline) {
				t.Fatalf("after edit %d: %s", i, wrong)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
