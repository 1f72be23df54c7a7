package process

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Connections that ask nothing keep nobody out, and end no answer that is under way.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	const most = 8
	var log bytes.Buffer
	conns := newWebConns(most, slog.New(slog.NewTextHandler(&log, nil)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	server := &http.Server{ConnState: conns.state, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_ = http.NewResponseController(w).Flush()
			<-release
		}
		_, _ = io.WriteString(w, "answer")
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	defer serving.Wait()
	defer func() { _ = server.Close() }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	stream, err := client.Get("http://" + l.Addr().String() + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	for range 5 * most {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	a, err := client.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatalf("somebody who asks is kept out: %v", err)
	}
	_ = a.Body.Close()
	close(release)
	if body, err := io.ReadAll(stream.Body); err != nil || string(body) != "answer" {
		t.Errorf("the answer that was under way: %q, %v", body, err)
	}
	_ = server.Close()
	left := func() int {
		conns.mu.Lock()
		defer conns.mu.Unlock()
		return len(conns.all) + len(conns.of) + conns.waiting.Len()
	}
	for deadline := time.Now().Add(time.Minute); left() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("remembered afterwards: %d", left())
		}
	}
	if n := strings.Count(log.String(), "as many connections as it may"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, &log)
	}
}

// An address that keeps its connections busy leaves room for others.
func TestOneAddressLeavesRoom(t *testing.T) {
	w := newWebConns(8, slog.New(slog.DiscardHandler))
	open := func(host string) *addressed {
		c := &addressed{from: host}
		w.state(c, http.StateNew)
		w.state(c, http.StateActive)
		return c
	}
	for i := range 10 {
		if c := open("10.0.0.1"); c.closed != (i >= 6) {
			t.Errorf("connection %d: closed is %v", i, c.closed)
		}
	}
	if c := open("10.0.0.2"); c.closed {
		t.Error("another address is kept out")
	}
}

type addressed struct {
	net.Conn
	from   string
	closed bool
}

func (a *addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(a.from), Port: 1} }

func (a *addressed) Close() error { a.closed = true; return nil }

// Failed handshakes, which anybody can cause, are no errors in the log.
func TestFailedHandshakesAreQuiet(t *testing.T) {
	var log bytes.Buffer
	l := serverLog(slog.New(slog.NewTextHandler(&log, nil)))
	l.Printf("http: TLS handshake error from 10.0.0.1:5: EOF")
	l.Printf("http: panic serving 10.0.0.1:5: %v", fmt.Errorf("nil"))
	if text := log.String(); strings.Contains(text, "handshake") || !strings.Contains(text, "panic") {
		t.Error(text)
	}
}
