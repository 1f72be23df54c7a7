package media

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// quickly is how much faster than time the streams here are sent.
const quickly = 4

// trickle serves parts of a stream, each at its time, which it counts.
func trickle(t *testing.T, parts [][]byte, at func(i int) time.Duration) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = new(atomic.Int64)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		begun := time.Now()
		for i, part := range parts {
			for time.Since(begun) < at(i)/quickly {
				select {
				case <-tick.C:
				case <-q.Context().Done():
					return
				}
			}
			if _, err := w.Write(part); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			sent.Store(int64(at(i)))
		}
	}))
	t.Cleanup(web.Close)
	return web.URL, sent
}

// A header that tells of sound which never comes delays the first frame by a few
// seconds, and not until the time for opening is over.
func TestSoundThatNeverComesIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.flv")
	ffmpeg(t, "-stream_loop", "3", "-i", cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 10, "mp4"), "-an", "-c", "copy", path)
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all[4] = 5 // sound and pictures
	parts, times := [][]byte{all[:13]}, []time.Duration{0}
	for rest := all[13:]; len(rest) > 11; {
		n := 11 + int(binary.BigEndian.Uint32(rest)&0xffffff) + 4
		if rest[0] != 18 { // what tells that there is no sound
			parts = append(parts, rest[:n])
			times = append(times, time.Duration(binary.BigEndian.Uint32(rest[4:])>>8)*time.Millisecond)
		}
		rest = rest[n:]
	}
	url, sent := trickle(t, parts, func(i int) time.Duration { return times[i] })
	o := testOptions()
	o.Open = time.Minute
	s, err := OpenStream(t.Context(), url+"/a.flv", o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d := time.Duration(sent.Load()); d > 3*lookFor {
		t.Errorf("open after %v of video", d)
	}
	if _, err := s.Next(); err != nil {
		t.Error(err)
	}
}

// A stream without a container has no times, and is shown all the same.
func TestAStreamWithoutTimesIsShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.h264")
	ffmpeg(t, "-i", cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 10, "mp4"), "-c", "copy", path)
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var parts [][]byte
	for rest := all; len(rest) > 0; {
		n := min(len(rest), len(all)/100)
		parts = append(parts, rest[:n])
		rest = rest[n:]
	}
	url, _ := trickle(t, parts, func(i int) time.Duration { return time.Duration(i) * 100 * time.Millisecond })
	s, err := OpenStream(t.Context(), url+"/a.h264", testOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last := time.Duration(-1)
	for i := range 40 {
		f, err := s.Next()
		if err != nil {
			t.Fatalf("after %d frames: %v", i, err)
		}
		if f.PTS < last {
			t.Fatalf("frame %d: at %v after %v", i, f.PTS, last)
		}
		last = f.PTS
	}
	if last < time.Second {
		t.Errorf("40 frames take %v", last)
	}
}
