package ingest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// redirecting is an RTSP server on an address that answers DESCRIBE with a
// redirection.
func redirecting(t *testing.T, host, location string) string {
	return talkerAt(t, host, func(c net.Conn) { answerRTSP(c, func() string { return location }) })
}

func answerRTSP(c net.Conn, location func() string) {
	for lines := bufio.NewScanner(c); lines.Scan(); {
		method, _, _ := strings.Cut(lines.Text(), " ")
		sequence := ""
		for lines.Scan() && lines.Text() != "" {
			if name, value, _ := strings.Cut(lines.Text(), ":"); name == "CSeq" {
				sequence = strings.TrimSpace(value)
			}
		}
		answer := "RTSP/1.0 200 OK\r\nCSeq: " + sequence + "\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n"
		if method == "DESCRIBE" {
			answer = "RTSP/1.0 302 Moved\r\nCSeq: " + sequence + "\r\nLocation: " + location() + "\r\n\r\n"
		}
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
	}
}

// A camera that may not be at an address may not lead there either.
func TestRedirectionsAreChecked(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", fence, camsim.FileOptions{}) })
	film := cut(t, fence, 2, "mp4")
	asked := make(chan string, 100)
	files := http.FileServer(http.Dir(filepath.Dir(film)))
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked <- q.URL.Path
		files.ServeHTTP(w, q)
	}))
	t.Cleanup(target.Close)
	// The camera's own server, at 127.0.0.2.
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/away":
			http.Redirect(w, q, target.URL+"/"+filepath.Base(film), http.StatusFound)
		case "/here":
			http.Redirect(w, q, "/"+filepath.Base(film), http.StatusMovedPermanently)
		case "/loop":
			http.Redirect(w, q, "/loop", http.StatusFound)
		default:
			files.ServeHTTP(w, q)
		}
	}))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	web.Listener = l
	web.Start()
	t.Cleanup(web.Close)
	loop := ""
	loop = "rtsp://" + talkerAt(t, "127.0.0.2", func(c net.Conn) {
		answerRTSP(c, func() string { return loop })
	}) + "/x"
	refused := "the camera redirects elsewhere: 127.0.0.1 is this machine itself"
	for _, c := range []struct {
		name, url string
		own       bool
		state     topics.StreamState
		reason    string
	}{
		{"rtsp", "rtsp://" + redirecting(t, "127.0.0.2", sim.URL("cam")) + "/x", false, topics.StreamWaiting, refused},
		{"rtsp, without end", loop, true, topics.StreamWaiting, "the camera redirects more than 5 times"},
		{"rtsp, without an aim", "rtsp://" + redirecting(t, "127.0.0.2", "") + "/x", false, topics.StreamWaiting, "the camera redirects, and does not say where to"},
		{"rtsp, to another kind", "rtsp://" + redirecting(t, "127.0.0.2", web.URL) + "/x", false, topics.StreamWaiting, "the camera redirects to another kind of address"},
		{"rtsp, the operator's own", "rtsp://" + redirecting(t, "127.0.0.2", sim.URL("cam")) + "/x", true, topics.StreamStreaming, ""},
		{"http", web.URL + "/away", false, topics.StreamWaiting, refused},
		{"http, the operator's own", web.URL + "/away", true, topics.StreamStopped, "end of file"},
		{"http, on the same host", web.URL + "/here", false, topics.StreamStopped, "end of file"},
		{"http, without end", web.URL + "/loop", false, topics.StreamWaiting, "the camera redirects more than 5 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			o := testOptions(r)
			o.AnyPace = true
			o.Trust = Trust{Allow: []string{"127.0.0.2"}}
			camera := topics.Camera{Name: "cam", URL: c.url}
			if c.own {
				o.Trust.Own = []topics.Camera{camera}
			}
			watch(t, o, camera)
			until(t, fmt.Sprintf("%s: %s", c.state, c.reason), 20*time.Second, r.saw("cam", c.state, c.reason))
			if n := len(r.frames("cam")); c.state == topics.StreamWaiting && n > 0 {
				t.Errorf("%d frames were looked at", n)
			}
			if c.name == "http" && len(asked) > 0 {
				t.Errorf("%s was asked for where the camera may not lead", <-asked)
			}
		})
	}
}
