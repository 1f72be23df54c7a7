package ingest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

const secret = "hunter2-not-to-be-seen"

// People see what is wrong with a camera, and never its password.
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
		case "/snapshot":
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write([]byte("\xff\xd8\xff\xe0 one picture"))
		case "/live":
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			_, _ = io.WriteString(w, "#EXTM3U\n")
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
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
		{"http-page", web.URL + "/page", topics.StreamWaiting, "what comes is not a video but a web page"},
		{"http-password", strings.Replace(web.URL, "://", "://viewer:"+secret+"@", 1) + "/locked", topics.StreamWaiting, "wrong user name or password"},
		{"http-path", web.URL + "/none", topics.StreamWaiting, "the camera has no stream at this path"},
		{"http-broken", web.URL + "/broken", topics.StreamWaiting, "the camera answers with 500 Internal Server Error: an error of its own"},
		{"refused", "rtsp://viewer:" + secret + "@" + deadPort(t) + "/x", topics.StreamWaiting, "connection refused"},
		{"password", "rtsp://viewer:" + secret + "@" + sim.Addr() + "/locked", topics.StreamWaiting, "wrong user name or password"},
		{"no-password", "rtsp://" + sim.Addr() + "/locked", topics.StreamWaiting, "the camera wants them, and its URL has none"},
		{"path", "rtsp://viewer:" + secret + "@" + sim.Addr() + "/none?token=" + secret, topics.StreamWaiting, "the camera has no stream at this path"},
		{"host", "rtsp://viewer:" + secret + "@no-such-host.invalid/x", topics.StreamWaiting, "no such host: no-such-host.invalid"},
		{"garbage", "rtsp://viewer:" + secret + "@" + talker(t, rubbish) + "/x", topics.StreamWaiting, "it does not answer as an RTSP server does"},
		{"garbage-http", "http://viewer:" + secret + "@" + talker(t, rubbish) + "/x", topics.StreamWaiting, "it does not answer as an HTTP server does"},
		{"http-at-rtsp", "rtsp://viewer:" + secret + "@" + web.Listener.Addr().String() + "/x", topics.StreamWaiting, "it does not answer as an RTSP server does"},
		{"mute", "rtsp://viewer:" + secret + "@" + talker(t, nil) + "/x", topics.StreamWaiting, "no usable answer within 1s"},
		{"frozen", sim.URL("frozen"), topics.StreamWaiting, "no data for 1s"},
		{"rubbish", sim.URL("rubbish"), topics.StreamWaiting, "no frame for 1.2s"},
		{"file", "file:///no/such/" + secret, topics.StreamWaiting, "no such file"},
		{"directory", "file://" + t.TempDir(), topics.StreamWaiting, "directory"},
		{"text", "file://" + text, topics.StreamWaiting, "what comes is not a video"},
		{"audio", "file://" + sound(t), topics.StreamWaiting, "the stream holds no video"},
		{"playlist", "file://" + playlist(t, fence), topics.StreamWaiting, "what comes is not a video of a known format"},
		{"http-picture", web.URL + "/snapshot", topics.StreamWaiting, "this is a single picture: set poll: 2s"},
		{"http-list", web.URL + "/live", topics.StreamWaiting, "a playlist (HLS or DASH)"},
		{"http-busy", web.URL + "/busy", topics.StreamWaiting, "503 Service Unavailable: it has too many viewers"},
		{"too-many", fakeRTSP(t, map[string]string{"SETUP": "453 Not Enough Bandwidth"}), topics.StreamWaiting, "the camera answers SETUP with 453 Not Enough Bandwidth: it has too many viewers"},
		{"transport", fakeRTSP(t, map[string]string{"SETUP": "461 " + secret}), topics.StreamWaiting, "461 Unsupported Transport: it does not offer this transport of RTSP: set the camera's transport to udp"},
		{"not-acceptable", fakeRTSP(t, map[string]string{"SETUP": "406 TCP TRANSPORT IS NOT SUPPORTED"}), topics.StreamWaiting, "set the camera's transport to udp"},
		{"session", fakeRTSP(t, map[string]string{"PLAY": "454 Session Not Found"}), topics.StreamWaiting, "the camera answers PLAY with 454 Session Not Found"},
		{"option", fakeRTSP(t, map[string]string{"OPTIONS": "551 Option not supported"}), topics.StreamWaiting, "the camera answers OPTIONS with 551 Option Not Supported"},
		{"unknown-status", fakeRTSP(t, map[string]string{"DESCRIBE": "499 " + secret}), topics.StreamWaiting, "the camera answers DESCRIBE with 499"},
		{"hangs-up", fakeRTSP(t, map[string]string{"OPTIONS": ""}), topics.StreamWaiting, "the camera closed the connection instead of answering OPTIONS"},
		{"coding", fakeRTSP(t, map[string]string{"sdp": "m=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\na=control:1\r\n"}), topics.StreamWaiting, "its video is coded as AV1, which cannot be read over RTSP: set the camera to H.264 or H.265"},
		{"no-coding", fakeRTSP(t, map[string]string{"sdp": "m=video 0 RTP/AVP 96\r\na=control:1\r\n"}), topics.StreamWaiting, "does not say in a known way how its video is coded"},
		{"only-sound", fakeRTSP(t, map[string]string{"sdp": "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:1\r\n"}), topics.StreamWaiting, "the stream holds no video, only audio"},
		{"blocked", fakeRTSP(t, nil), topics.StreamWaiting, "nothing has come: a firewall may block it: set the camera's transport to tcp"},
		{"picture-file", "file://" + picture(t), topics.StreamWaiting, "it is one picture, not a video"},
		{"link", "rtsp://[fe80::1%25none0]/s", topics.StreamWaiting, "this worker has no network interface none0"},
		{"port", "rtsp://host:70000/s", topics.StreamStopped, "the URL's port is not one from 1 to 65535"},
		{"raw-password", "rtsp://viewer:12/" + secret + "@host.invalid/s", topics.StreamStopped, "if the password holds a /, ? or #"},
		{"scheme", "ftp://viewer:" + secret + "@host/x", topics.StreamStopped, "this kind of URL is not allowed: want rtsp, rtsps, http, https, file"},
		{"unparsable", "rtsp://viewer:" + secret + "@host:port/%zz", topics.StreamStopped, "the URL cannot be parsed"},
		{"environment", "rtsp://viewer:${CAM}@host/x", topics.StreamStopped, "environment variable CAM is not set on this worker"},
		{"unlisted", "rtsp://viewer:${LOBBY_PASSWORD}@host/x", topics.StreamStopped, "add LOBBY_PASSWORD to ingest.env"},
		{"no-host", "rtsp:///x", topics.StreamStopped, "the URL names no host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			log := &stagetest.Log{}
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(log)
				}
			})
			o := testOptions(r)
			o.Logger = log.Logger()
			o.OpenTimeout, o.ReadTimeout, o.Watchdog = time.Second, time.Second, 5*time.Second
			o.Getenv = func(string) (string, bool) { return "", false }
			if c.name == "rubbish" {
				o.Watchdog = 300 * time.Millisecond // four times that for the first frame
			}
			camera := topics.Camera{Name: "cam", URL: c.url}
			if c.name == "blocked" {
				camera.Transport = "udp"
			}
			watch(t, o, camera)
			until(t, string(c.state)+": "+c.reason, 20*time.Second, func() bool { return c.reason == "" || r.saw("cam", c.state, c.reason)() })
			if c.reason != "" {
				// It is in readiness and in the log, too.
				until(t, "the warning", 30*time.Second, func() bool {
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

// rubbish is what a port that is no camera's might send.
func rubbish(c net.Conn) {
	for range 100 {
		if _, err := c.Write(bytes.Repeat([]byte{0xfe, 0x00, 'G', '\n'}, 1000)); err != nil {
			return
		}
	}
}

// talker is the address of a server that calls say (nil: does nothing) for each
// connection and keeps it open until the client or the test ends.
func talker(t *testing.T, say func(net.Conn)) string { return talkerAt(t, "127.0.0.1", say) }

func talkerAt(t *testing.T, host string, say func(net.Conn)) string {
	t.Helper()
	return stagetest.Serve(t, host, func(c net.Conn) {
		if say != nil {
			say(c)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.Copy(io.Discard, c)
	})
}

func sound(t *testing.T) string {
	out := filepath.Join(t.TempDir(), "sound.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", out)
	return out
}

// playlist is a file that names another file, as a stranger's might name
// /etc/passwd.
func playlist(t *testing.T, path string) string {
	out := filepath.Join(t.TempDir(), "list.m3u8")
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + path + "\n#EXT-X-ENDLIST\n"
	if err := os.WriteFile(out, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
