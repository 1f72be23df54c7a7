package ingest

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// Other servers than ours: HTTP, and RTSP over TLS with a certificate that nobody has
// signed and that is not asked for.
func TestOtherPeers(t *testing.T) {
	fence := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 4, "mp4")
	web := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(fence))))
	t.Cleanup(web.Close)
	secure := simulate(t, camsim.Options{TLS: stagetest.SelfSigned(t)}, func(s *camsim.Server) {
		addFile(t, s, "cam", fence, camsim.FileOptions{OnDemand: true, Loops: 1, Speed: 2})
	})
	for _, c := range []struct{ name, url string }{
		{"http", web.URL + "/" + filepath.Base(fence)},
		{"rtsps", secure.URL("cam")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			o := testOptions(r)
			o.AnyPace, o.AnyCertificate = true, true
			watch(t, o, topics.Camera{Name: "cam", URL: c.url})
			until(t, "the end", 30*time.Second, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.ended["cam"]) == 1 })
			sameTimes(t, r.frames("cam"), probe(t, fence))
		})
	}
}

// A camera that offers one transport of RTSP, and not the one that is asked for.
func TestTheOtherTransportIsAdvised(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{NoUDP: true}, func(s *camsim.Server) { addFile(t, s, "cam", fence, camsim.FileOptions{}) })
	r := newRecorder()
	watch(t, testOptions(r), topics.Camera{Name: "cam", URL: sim.URL("cam"), Transport: "udp"})
	until(t, "the advice", 20*time.Second, r.saw("cam", topics.StreamWaiting, "set the camera's transport to tcp"))
}

// FFmpeg serves live video over HTTP. As MJPEG it has no timestamps: frames
// come at the times of their arrival.
func TestLiveHTTP(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	for _, c := range []struct {
		format, codec, want string
	}{
		{"mpegts", "copy", "h264 640x360"},
		{"mpjpeg", "mjpeg", "mjpeg 640x360"},
	} {
		t.Run(c.format, func(t *testing.T) {
			t.Parallel()
			url := "http://" + deadPort(t) + "/live"
			cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-re", "-t", "4", "-i", fence, "-c:v", c.codec, "-f", c.format, "-listen", "1", url)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			r := newRecorder()
			watch(t, testOptions(r), topics.Camera{Name: "cam", URL: url})
			until(t, "the end", 30*time.Second, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.ended["cam"]) == 1 })
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			times := r.frames("cam")
			if n := len(times); n < 58 || n > 62 {
				t.Fatalf("%d frames in 4 s", n)
			}
			if last := times[len(times)-1]; last < 2*time.Second || last > 20*time.Second {
				t.Errorf("the last frame is at %v", last)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.sizes["cam"] != c.want || !strings.Contains(r.ended["cam"][0], "the camera ended the stream") {
				t.Errorf("%s, ended: %v", r.sizes["cam"], r.ended["cam"])
			}
		})
	}
}

// A recording plays at its own pace, and stops at its end.
func TestAFilePlaysAtItsOwnPace(t *testing.T) {
	r := newRecorder()
	begun := time.Now()
	watch(t, testOptions(r), topics.Camera{Name: "cam", URL: "file://" + cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 2, "mp4")})
	until(t, "the end", 20*time.Second, r.saw("cam", topics.StreamStopped, "end of file"))
	if took := time.Since(begun); took < 1800*time.Millisecond {
		t.Errorf("two seconds of video took %v", took)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epochs["cam"] != 1 {
		t.Errorf("the file was opened %d times", r.epochs["cam"])
	}
}
