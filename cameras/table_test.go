package cameras_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// A removed camera's status is removed too, or it would say "streaming" for ever.
func TestRemoveRemovesTheStatus(t *testing.T) {
	f := newFixture(t)
	f.put(t, topics.Camera{Name: "a", URL: "rtsp://h/1"})
	f.reported(t, topics.StreamStatus{Camera: "a", State: topics.StreamStreaming, Worker: "w"}, 0)
	f.remove(t, "a")
	if rows, _ := f.status.List(t.Context()); len(rows) > 0 {
		t.Errorf("left: %v", rows)
	}
	if _, err := f.Get(t.Context(), "a"); err == nil {
		t.Error("the camera is still there")
	}
}

// Follow gives cameras, and no other record of the topic.
func TestFollow(t *testing.T) {
	f := newFixture(t)
	if _, _, err := f.Sync(t.Context(), cameras.Owner{Source: topics.SourceFile, ID: "f"}, named("a", "b")); err != nil {
		t.Fatal(err)
	}
	f.cameras.write("odd", []byte("{"), time.Now())
	f.remove(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := f.Follow(ctx, func(name string, c *topics.Camera) error {
		got = append(got, fmt.Sprint(name, c != nil))
		return nil
	}, cancel)
	if err == nil || !slices.Equal(got, []string{"atrue", "btrue", "afalse"}) {
		t.Errorf("%q, %v", got, err)
	}
}
