package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

func pictured(t *testing.T, camera, id string) topics.Clip {
	t.Helper()
	e, err := jpeg.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Encode(make([]byte, 3*64*36), 64, 36, 80, jpeg.Quarter)
	if err != nil {
		t.Fatal(err)
	}
	c := topics.Clip{ID: id, Camera: camera, Width: 64, Height: 36}
	for range topics.ClipFrames {
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: data})
	}
	return c
}

// Many who look at a camera cost one reading of its clip.
func TestAClipIsReadOnceForAll(t *testing.T) {
	clip := pictured(t, "lobby", "lobby-1")
	var reads atomic.Int32
	all := make(chan struct{})
	l := newLoops(func(context.Context, topics.RecordRef) (topics.Clip, error) {
		reads.Add(1)
		<-all
		return clip, nil
	})
	var readers sync.WaitGroup
	for range 50 {
		readers.Go(func() {
			if b, err := l.of(t.Context(), "lobby", "lobby-1", topics.RecordRef{}); err != nil || len(b) == 0 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
	close(all)
	readers.Wait()
	if n := reads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// The position of a clip is from a record that anyone may write.
func TestAnothersClipIsNotShown(t *testing.T) {
	var clip topics.Clip
	fails := errors.New("away")
	var err error
	l := newLoops(func(context.Context, topics.RecordRef) (topics.Clip, error) { return clip, err })
	for _, c := range []topics.Clip{pictured(t, "yard", "lobby-1"), pictured(t, "lobby", "lobby-2"), {ID: "lobby-1", Camera: "lobby"}} {
		clip = c
		if _, err := l.of(t.Context(), "lobby", "lobby-1", topics.RecordRef{}); err == nil {
			t.Errorf("clip %s of %s with %d pictures is shown for lobby-1", c.ID, c.Camera, len(c.Frames))
		}
	}
	err = fails
	if _, got := l.of(t.Context(), "lobby", "lobby-1", topics.RecordRef{}); !errors.Is(got, fails) {
		t.Error(got)
	}
	clip, err = pictured(t, "lobby", "lobby-1"), nil
	if _, err := l.of(t.Context(), "lobby", "lobby-1", topics.RecordRef{}); err != nil {
		t.Error("a failure is kept:", err)
	}
	// What is kept of lobby's clip is not shown to who asks for another camera's.
	if _, err := l.of(t.Context(), "yard", "lobby-1", topics.RecordRef{}); err == nil {
		t.Error("a clip of lobby is shown for yard, by a record that names its id")
	}
}

func TestKeptLoopsAreBounded(t *testing.T) {
	l := newLoops(nil)
	big := make([]byte, 4<<20)
	for n := range 40 {
		one, mine := l.find(loopKey{clip: fmt.Sprint(n)})
		if !mine {
			t.Fatal("a clip that was never seen is kept")
		}
		l.keep(one, big, nil)
	}
	if l.bytes > loopBytes || l.order.Len() != loopBytes/len(big) || len(l.kept) != l.order.Len() {
		t.Errorf("%d loops of %d bytes", l.order.Len(), l.bytes)
	}
	if _, mine := l.find(loopKey{clip: "39"}); mine {
		t.Error("the newest is not kept")
	}
}

// Who knows an older clip gets the newest, so that nothing is missing just as one comes; that
// answer is not kept for the older one.
func TestTheNewestLoopIsAnsweredToWhoKnowsAnOlder(t *testing.T) {
	c, server := served(t)
	c.wall.setCameras([]cameras.Entry{streaming("lobby")})
	r := recognised("lobby", 2)
	c.wall.setRecognition(r)
	c.loops = newLoops(func(context.Context, topics.RecordRef) (topics.Clip, error) {
		return pictured(t, "lobby", r.ClipID), nil
	})
	for clip, kept := range map[string]bool{r.ClipID: true, "lobby-1": false} {
		a, err := http.Get(server.URL + "/api/v1/cameras/lobby/loop?clip=" + clip)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if by := a.Header.Get("Cache-Control"); a.StatusCode != http.StatusOK || (by != "no-store") != kept {
			t.Errorf("clip %s: %d, %s", clip, a.StatusCode, by)
		}
	}
}
