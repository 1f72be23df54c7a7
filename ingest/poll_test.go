package ingest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A URL of a single picture is a camera when it is asked again and again, and says so
// when it isn't.
func TestPolledPictures(t *testing.T) {
	var whole, unchanged atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.URL.Path == "/page":
			_, _ = w.Write([]byte("<html>"))
			return
		case q.URL.Path == "/gone" && whole.Load() > 2:
			http.NotFound(w, q)
			return
		case q.URL.Path == "/endless":
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write([]byte{0xff, 0xd8})
			for range 20 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
			return
		}
		tag := fmt.Sprintf(`"%d"`, (whole.Load()+unchanged.Load())/2) // each picture twice
		w.Header().Set("ETag", tag)
		if q.URL.Path == "/tagged" && q.Header.Get("If-None-Match") == tag {
			unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		picture := image.NewGray(image.Rect(0, 0, 64, 48))
		picture.SetGray(int(whole.Add(1))%64, 0, color.Gray{255})
		var b bytes.Buffer
		_ = jpeg.Encode(&b, picture, nil)
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(b.Bytes())
	}))
	t.Cleanup(web.Close)
	for _, c := range []struct {
		path   string
		poll   time.Duration
		state  topics.StreamState
		reason string
	}{
		{"/tagged", 100 * time.Millisecond, topics.StreamStreaming, ""},
		{"/tagged", 0, topics.StreamWaiting, "this is a single picture: set poll: 2s"},
		{"/page", 100 * time.Millisecond, topics.StreamWaiting, "what comes is not a JPEG: poll is for a URL that answers with a single picture"},
		{"/endless", 100 * time.Millisecond, topics.StreamWaiting, "the picture takes more than 16 MB"},
		{"/gone", 100 * time.Millisecond, topics.StreamWaiting, "the camera has no stream at this path"},
	} {
		r := newRecorder()
		watch(t, testOptions(r), topics.Camera{Name: "cam", URL: web.URL + c.path, Poll: topics.Duration(c.poll)})
		until(t, string(c.state)+": "+c.reason, 20*time.Second, r.saw("cam", c.state, c.reason))
		if c.state != topics.StreamStreaming {
			continue
		}
		until(t, "pictures", 20*time.Second, func() bool { return len(r.frames("cam")) > 10 })
		r.mu.Lock()
		size := r.sizes["cam"]
		r.mu.Unlock()
		if times := r.frames("cam"); !strings.Contains(size, "64x48") || times[10]-times[0] < 500*time.Millisecond {
			t.Errorf("%s at %v", size, times)
		}
		if unchanged.Load() == 0 || whole.Load() == 0 {
			t.Errorf("%d whole, %d unchanged", whole.Load(), unchanged.Load())
		}
	}
}
