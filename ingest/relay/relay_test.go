package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/media"
)

// camera is a peer that answers requests of RTSP as told, until the test ends.
func camera(t *testing.T, answer func(method string, m *message) string) string {
	t.Helper()
	at := stagetest.Serve(t, "127.0.0.1", func(c net.Conn) {
		in := newReader(c, 16<<10)
		for {
			_, m, err := in.next()
			if err != nil || m == nil {
				return
			}
			method, _, _ := m.request()
			text := answer(method, m)
			if text == "" {
				return
			}
			if _, err := io.WriteString(c, strings.ReplaceAll(text, "CSEQ", m.get("CSeq"))); err != nil {
				return
			}
		}
	})
	return "rtsp://viewer:right@" + at + "/live/"
}

// open makes a relay to a URL until the test ends.
func open(t *testing.T, raw string) *Relay {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), Target{URL: u, URI: u.Scheme + "://" + u.Host + u.RequestURI(), Dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// viewer stands for libav.
type viewer struct {
	net.Conn
	in *reader
	n  int
}

func view(t *testing.T, r *Relay) *viewer {
	t.Helper()
	c, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return &viewer{Conn: c, in: newReader(c, maxFrame+4096)}
}

// ask sends a request and returns the answer's first line and lines.
func (v *viewer) ask(method, uri string, lines ...string) string {
	v.n++
	_, _ = fmt.Fprintf(v, "%s %s RTSP/1.0\r\nCSeq: %d\r\n%s\r\n", method, uri, v.n, strings.Join(append(lines, ""), "\r\n"))
	for {
		_, m, err := v.in.next()
		if err != nil {
			return err.Error()
		}
		if m != nil {
			return m.first + "|" + strings.Join(m.lines, "|") + "|" + string(m.body)
		}
	}
}

// Nobody but this process' libav gets anything out of a relay's port.
func TestStrangers(t *testing.T) {
	r := open(t, camera(t, func(string, *message) string { return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n\r\n" }))
	for _, uri := range []string{"*", "rtsp://" + r.listener.Addr().String() + "/", strings.TrimSuffix(r.URL(), r.URL()[len(r.URL())-1:]), r.URL() + "x"} {
		if got := view(t, r).ask("OPTIONS", uri); got != "EOF" {
			t.Errorf("%s: %s", uri, got)
		}
	}
	if got := view(t, r).ask("OPTIONS", r.URL()); !strings.HasPrefix(got, "RTSP/1.0 200 OK") {
		t.Fatalf("libav: %s", got)
	}
	if c, err := net.Dial("tcp", r.listener.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("there is still a port")
	}
	// HTTP keeps its port, for jumps in a file.
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	h := open(t, web.URL+"/film")
	for _, path := range []string{"/", "/film", h.path + "x", h.path} {
		answer, err := http.Get("http://" + h.listener.Addr().String() + path)
		if err == nil {
			_ = answer.Body.Close()
			t.Errorf("%s: %s", path, answer.Status)
		}
		if asked := h.Err() != nil; asked != (path == h.path) {
			t.Errorf("%s reaches the camera: %v", path, asked)
		}
	}
}

// A viewer sees neither challenges nor the camera's place, and the camera sees the
// URL as the operator has written it.
func TestALoginBehindARelay(t *testing.T) {
	var seen []string
	var mu sync.Mutex
	nonce := "n1"
	r := open(t, camera(t, func(method string, m *message) string {
		mu.Lock()
		defer mu.Unlock()
		_, uri, _ := m.request()
		_, path, _ := strings.Cut(uri, "/live/")
		seen = append(seen, method+" "+path)
		if method == "SETUP" && nonce == "n1" {
			nonce = "n2" // the one before is stale, which some cameras don't say
		}
		if method != "" && !strings.Contains(m.get("Authorization"), `nonce="`+nonce+`"`) {
			return "RTSP/1.0 401 Unauthorized\r\ncseq: CSEQ\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"" + nonce + "\"\r\n\r\n"
		}
		switch method {
		case "DESCRIBE":
			return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nContent-Length: 4\r\n\r\nv=0\n"
		case "PLAY":
			return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nRTP-Info: url=x\r\n\r\n" + frame(0, "first") + "GET_PARAMETER * RTSP/1.0\r\nCSeq: 9\r\n\r\n" + frame(0, "second")
		case "":
			return frame(0, "third") // the answer to its own request
		}
		return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
	}))
	v := view(t, r)
	for _, c := range []struct{ method, rest, want string }{
		{"OPTIONS", "", "RTSP/1.0 200 OK|Transport: RTP/AVP/TCP;unicast;interleaved=0-1|CSeq: 1|"},
		{"DESCRIBE", "", "RTSP/1.0 200 OK|Content-Length: 4|CSeq: 2|v=0\n"},
		{"SETUP", "/track1", "RTSP/1.0 200 OK|Transport: RTP/AVP/TCP;unicast;interleaved=0-1|CSeq: 3|"},
		{"PLAY", "", "RTSP/1.0 200 OK|CSeq: 4|"},
	} {
		if got := v.ask(c.method, r.URL()+c.rest); got != c.want {
			t.Fatalf("%s: %q, want %q", c.method, got, c.want)
		}
	}
	got := ""
	for want := frame(0, "first") + frame(0, "second") + frame(0, "third"); got != want; {
		frames, m, err := v.in.next()
		if err != nil || m != nil {
			t.Fatalf("%q, then %v, %v", got, m, err)
		}
		got += string(frames)
	}
	mu.Lock()
	defer mu.Unlock()
	want := "OPTIONS , OPTIONS , DESCRIBE , SETUP track1, SETUP track1, PLAY "
	if all := strings.Join(seen[:6], ", "); all != want {
		t.Errorf("the camera was asked for %s", all)
	}
}

// What a camera does wrong is said in words, whatever libav makes of it.
func TestWhatACameraDoesWrong(t *testing.T) {
	for _, c := range []struct{ name, at, answer, want string }{
		{"a redirection", "DESCRIBE", "RTSP/1.0 302 Found\r\nCSeq: CSEQ\r\nLocation: rtsp://elsewhere/\r\n\r\n", "redirected"},
		{"a redirection without an aim", "OPTIONS", "RTSP/1.0 301 Moved\r\nCSeq: CSEQ\r\n\r\n", "the camera redirects, and does not say where to"},
		{"no answer", "OPTIONS", "", "the camera closed the connection instead of answering OPTIONS"},
		{"another protocol", "OPTIONS", "HTTP/1.1 400 Bad Request\r\n\r\n", "it does not answer as an RTSP server does"},
		{"too many viewers", "DESCRIBE", "RTSP/1.0 453 Not Enough\x1b[31m Bandwidth\r\nCSeq: CSEQ\r\n\r\n", "the camera answers DESCRIBE with 453 Not Enough Bandwidth: it has too many viewers, or is still starting: close other viewers, or use its second stream"},
		{"no words", "DESCRIBE", "RTSP/1.0 500\r\nCSeq: CSEQ\r\n\r\n", "the camera answers DESCRIBE with 500 Internal Server Error: an error of its own: restart it if that does not pass"},
		{"the other transport", "SETUP", "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nTransport: RTP/AVP;unicast;client_port=1-2\r\n\r\n", "the camera was asked for RTSP over tcp and wants udp: set the camera's transport to udp"},
		{"a wrong password", "DESCRIBE", "RTSP/1.0 401 Unauthorized\r\nCSeq: CSEQ\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n", "wrong user name or password"},
		{"challenges that are always stale", "DESCRIBE", "RTSP/1.0 401 Unauthorized\r\nCSeq: CSEQ\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\", stale=true\r\n\r\n", "wrong user name or password"},
		{"lines without end", "DESCRIBE", "RTSP/1.0 200 OK\r\nX: " + strings.Repeat("x", 1<<20), "it does not answer as an RTSP server does"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := open(t, camera(t, func(method string, _ *message) string {
				if method == c.at {
					if strings.HasPrefix(c.answer, "HTTP") {
						return c.answer + strings.Repeat("\x00", maxGarbage)
					}
					return c.answer
				}
				return "RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n\r\n"
			}))
			v := view(t, r)
			for _, method := range []string{"OPTIONS", "DESCRIBE", "SETUP"} {
				v.ask(method, r.URL())
				if method == c.at {
					break
				}
			}
			_ = v.Close()
			deadline := time.Now().Add(20 * time.Second)
			for r.Err() == nil && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			if err := r.Err(); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A stream that breaks off does not look as if it had ended.
func TestAStreamThatBreaksOff(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/counted" {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = io.WriteString(w, "video")
		_ = http.NewResponseController(w).Flush()
		if q.URL.Path != "/whole" {
			panic(http.ErrAbortHandler)
		}
	}))
	defer web.Close()
	for path, want := range map[string]error{"/whole": nil, "/counted": io.ErrUnexpectedEOF, "/chunked": io.ErrUnexpectedEOF} {
		r := open(t, web.URL+path)
		answer, err := http.Get(r.URL())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if string(body) != "video" || !errors.Is(err, want) {
			t.Errorf("%s: %q, %v", path, body, err)
		}
		var f *media.Fault
		r.Close()
		if broken := errors.As(r.Err(), &f); broken != (want != nil) {
			t.Errorf("%s: the reason: %v", path, r.Err())
		}
	}
}

// Closing does not wait for a camera that says nothing, nor for one that can't be
// reached.
func TestCloseIsPrompt(t *testing.T) {
	for _, name := range []string{"mute", "unreachable"} {
		r := open(t, camera(t, func(string, *message) string { return "\r\n" }))
		if name == "unreachable" {
			r.target.Dial = func(ctx context.Context) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}
		v := view(t, r)
		_, _ = fmt.Fprintf(v, "OPTIONS %s RTSP/1.0\r\nCSeq: 1\r\n\r\n", r.URL())
		_ = v.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = bufio.NewReader(v).ReadByte()
		begun := time.Now()
		r.Close()
		if d := time.Since(begun); d > 10*time.Second {
			t.Errorf("%s: closing took %v", name, d)
		}
	}
}
