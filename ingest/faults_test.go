package ingest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const secret = "hunter2-not-to-be-seen"

// People are told what is wrong with a camera, and never its password.
func TestReasons(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "locked", fence, camsim.FileOptions{User: "viewer", Password: "right"})
		addFile(t, s, "frozen", fence, camsim.FileOptions{})
		addFile(t, s, "rubbish", fence, camsim.FileOptions{Speed: 4})
	})
	sim.Pause("frozen")
	sim.Corrupt("rubbish", true)
	text := filepath.Join(t.TempDir(), "text.mp4")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no video at all\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/page":
			_, _ = io.WriteString(w, "<html>the camera's settings</html>")
		case "/locked":
			w.WriteHeader(http.StatusUnauthorized)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, q)
		}
	}))
	t.Cleanup(web.Close)
	for _, c := range []struct {
		name, url string
		state     topics.StreamState
		reason    string
	}{
		{"http-page", web.URL + "/page", topics.StreamWaiting, "what comes is not a video"},
		{"http-password", web.URL + "/locked", topics.StreamWaiting, "wrong user name or password"},
		{"http-path", web.URL + "/none", topics.StreamWaiting, "the camera has no stream at this path"},
		{"http-broken", web.URL + "/broken", topics.StreamWaiting, "the camera answers with an error of its own"},
		{"refused", "rtsp://viewer:" + secret + "@" + deadPort(t) + "/x", topics.StreamWaiting, "connection refused"},
		{"password", "rtsp://viewer:" + secret + "@" + sim.Addr() + "/locked", topics.StreamWaiting, "wrong user name or password"},
		{"no-password", "rtsp://" + sim.Addr() + "/locked", topics.StreamWaiting, "wrong user name or password"},
		{"path", "rtsp://viewer:" + secret + "@" + sim.Addr() + "/none?token=" + secret, topics.StreamWaiting, "the camera has no stream at this path"},
		{"host", "rtsp://viewer:" + secret + "@no-such-host.invalid/x", topics.StreamWaiting, "no such host: no-such-host.invalid"},
		{"garbage", "rtsp://viewer:" + secret + "@" + talker(t, rubbish) + "/x", topics.StreamWaiting, "no usable answer within 1s"},
		{"garbage-http", "http://viewer:" + secret + "@" + talker(t, rubbish) + "/x", topics.StreamWaiting, "no usable answer within 1s"},
		{"http-at-rtsp", "rtsp://viewer:" + secret + "@" + web.Listener.Addr().String() + "/x", topics.StreamWaiting, "it does not answer as an RTSP server does"},
		{"mute", "rtsp://viewer:" + secret + "@" + talker(t, nil) + "/x", topics.StreamWaiting, "no usable answer within 1s"},
		{"frozen", sim.URL("frozen"), topics.StreamWaiting, "no data for 1s"},
		{"rubbish", sim.URL("rubbish"), topics.StreamWaiting, "no frame for 1.2s"},
		{"file", "file:///no/such/" + secret, topics.StreamWaiting, "no such file"},
		{"directory", "file://" + t.TempDir(), topics.StreamWaiting, "directory"},
		{"text", "file://" + text, topics.StreamWaiting, "what comes is not a video"},
		{"audio", "file://" + sound(t), topics.StreamWaiting, "the stream holds no video"},
		{"playlist", "file://" + playlist(t, fence), topics.StreamWaiting, "what comes is not a video of a known format"},
		{"scheme", "ftp://viewer:" + secret + "@host/x", topics.StreamStopped, "this kind of URL is not allowed: want rtsp, rtsps, http, https, file"},
		{"unparsable", "rtsp://viewer:" + secret + "@host:port/%zz", topics.StreamStopped, "the URL cannot be parsed"},
		{"environment", "rtsp://viewer:${CAM}@host/x", topics.StreamStopped, "environment variable CAM is not set on this worker"},
		{"unlisted", "rtsp://viewer:${LOBBY_PASSWORD}@host/x", topics.StreamStopped, "add LOBBY_PASSWORD to ingest.env"},
		{"no-host", "rtsp:///x", topics.StreamStopped, "the URL names no host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			log := &syncBuffer{}
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(log)
				}
			})
			o := testOptions(r)
			o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo}))
			o.OpenTimeout, o.ReadTimeout, o.Watchdog = time.Second, time.Second, 5*time.Second
			o.Getenv = func(string) (string, bool) { return "", false }
			if c.name == "rubbish" {
				o.Watchdog = 300 * time.Millisecond // four times that for the first frame
			}
			watch(t, o, topics.Camera{Name: "cam", URL: c.url})
			until(t, string(c.state)+": "+c.reason, 20*time.Second, func() bool { return c.reason == "" || r.saw("cam", c.state, c.reason)() })
			if c.reason != "" {
				// Whoever looks at readiness or the log sees it too.
				until(t, "the warning", 5*time.Second, func() bool {
					return strings.Contains(r.warning("camera cam"), c.reason) && strings.Contains(log.String(), "level=WARN")
				})
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, s := range r.status["cam"] {
				if strings.Contains(s.Reason, secret) {
					t.Errorf("the secret is in %+v", s)
				}
				if s.State == topics.StreamWaiting && s.RetryAt.IsZero() {
					t.Errorf("when it's tried again is missing: %+v", s)
				}
			}
			if strings.Contains(log.String(), secret) {
				t.Errorf("the secret is in the log: %s", log)
			}
		})
	}
}

// rubbish is what a port that is no camera might say.
func rubbish(c net.Conn) {
	for range 100 {
		if _, err := c.Write(bytes.Repeat([]byte{0xfe, 0x00, 'G', '\n'}, 1000)); err != nil {
			return
		}
	}
}

// talker is the address of a server that greets connections with say, if
// anything, and keeps them until the client or the test ends.
func talker(t *testing.T, say func(net.Conn)) string { return talkerAt(t, "127.0.0.1", say) }

func talkerAt(t *testing.T, host string, say func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }()
				if say != nil {
					say(c)
				}
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	return l.Addr().String()
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if b, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
}

func sound(t *testing.T) string {
	out := filepath.Join(t.TempDir(), "sound.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", out)
	return out
}

// playlist names another file, as one that a stranger hands in might name
// /etc/passwd.
func playlist(t *testing.T, path string) string {
	out := filepath.Join(t.TempDir(), "list.m3u8")
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + path + "\n#EXT-X-ENDLIST\n"
	if err := os.WriteFile(out, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// A camera that goes away comes back, one that freezes is opened anew, and
// nobody else notices.
func TestCamerasComeBackAndDoNotDisturbOthers(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		for _, name := range []string{"good", "bad"} {
			addFile(t, s, name, fence, camsim.FileOptions{})
		}
	})
	r := newRecorder()
	o := testOptions(r)
	o.ReadTimeout, o.Watchdog = 3*time.Second, 700*time.Millisecond
	cameras := []topics.Camera{{Name: "good", URL: sim.URL("good")}, {Name: "bad", URL: sim.URL("bad")}}
	watch(t, o, cameras...)
	streaming := func(epochs int) func() bool {
		return func() bool {
			n := len(r.frames("bad"))
			r.mu.Lock()
			defer r.mu.Unlock()
			return n > 3 && r.epochs["bad"] == epochs
		}
	}
	until(t, "streams", 20*time.Second, func() bool { return len(r.frames("good")) > 3 && streaming(1)() })

	sim.Stop("bad")
	until(t, "the loss", 10*time.Second, r.saw("bad", topics.StreamWaiting, "the camera has no stream at this path"))
	sim.Start("bad")
	until(t, "the return", 20*time.Second, streaming(2))

	sim.Pause("bad")
	until(t, "the freeze", 10*time.Second, r.saw("bad", topics.StreamWaiting, "no frame for 700ms"))
	sim.Resume("bad")
	until(t, "the thaw", 20*time.Second, streaming(3))

	if st := r.last("bad"); st.State != topics.StreamStreaming || st.Attempt != 0 || st.Codec != "h264" || st.Width != 640 {
		t.Errorf("status %+v", st)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epochs["good"] != 1 {
		t.Errorf("the good camera was opened %d times", r.epochs["good"])
	}
	times := r.times["good"]
	for i := range times[1:] {
		if step := times[i+1] - times[i]; step < 60*time.Millisecond || step > 70*time.Millisecond {
			t.Fatalf("the good camera has a step of %v", step)
		}
	}
}

// A camera can be removed at once, whatever libav is waiting for.
func TestStoppingIsPrompt(t *testing.T) {
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "frozen", shared.Path(t, "model", "demo", "yard_fence.mp4"), camsim.FileOptions{})
	})
	r := newRecorder()
	o := testOptions(r)
	o.OpenTimeout, o.ReadTimeout, o.Watchdog = time.Hour, time.Hour, time.Hour
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	var connected atomic.Bool
	opening := talker(t, func(net.Conn) { connected.Store(true) })
	for _, c := range []struct {
		name, url string
		middle    func() bool // of what it is to be stopped in
	}{
		{"opening", "rtsp://" + opening + "/x", connected.Load},
		{"frozen", sim.URL("frozen"), func() bool { return len(r.frames("frozen")) > 0 }},
		{"refused", "rtsp://" + deadPort(t) + "/x", r.saw("refused", topics.StreamWaiting, "refused")},
	} {
		b := newBoard("t.status", p, s.Logger)
		posting, stopPosting := context.WithCancel(t.Context())
		var posted sync.WaitGroup
		posted.Go(func() { b.run(posting) })
		camera := s.start(t.Context(), topics.Camera{Name: c.name, URL: c.url}, 0, nil, b, r.Send)
		until(t, c.name, 20*time.Second, c.middle)
		if c.name == "frozen" {
			sim.Pause(c.name)
		}
		begun := time.Now()
		camera.stop()
		if d := time.Since(begun); d > 1500*time.Millisecond {
			t.Errorf("%s: stopping took %v", c.name, d)
		}
		stopPosting()
		posted.Wait()
	}
}

// Other servers than ours: FFmpeg as an RTSP peer, HTTP, and RTSP over TLS with
// a certificate that nobody has signed, which libav does not check.
func TestOtherPeers(t *testing.T) {
	fence := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 4, "mp4")
	web := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(fence))))
	t.Cleanup(web.Close)
	secure := simulate(t, camsim.Options{TLS: selfSigned(t)}, func(s *camsim.Server) {
		addFile(t, s, "cam", fence, camsim.FileOptions{OnDemand: true, Loops: 1, Speed: 2})
	})
	for _, c := range []struct{ name, url string }{
		{"http", web.URL + "/" + filepath.Base(fence)},
		{"rtsps", secure.URL("cam")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			o := testOptions(r)
			o.FilesAtOnce = true
			watch(t, o, topics.Camera{Name: "cam", URL: c.url})
			until(t, "the end", 30*time.Second, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.ended["cam"]) == 1 })
			sameTimes(t, r.frames("cam"), probe(t, fence))
		})
	}
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
			if last := times[len(times)-1]; last < 2*time.Second || last > 5*time.Second {
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

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
