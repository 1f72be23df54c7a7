package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Handle registers a handler for a pattern of net/http's ServeMux. To be called
// before Run. A handler that writes for a long time, such as a stream of events,
// must end with its request's context, which ends when the process stops.
func (p *Process) Handle(pattern string, h http.Handler) { p.mux.Handle(pattern, h) }

// handleOwn serves /healthz (the process runs), /readyz and /metrics.
func (p *Process) handleOwn() {
	p.Handle("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }))
	p.Handle("GET /readyz", http.HandlerFunc(p.ready))
	p.Handle("GET /metrics", p.tel.Handler())
}

// ready answers 503 while there are problems. Warnings are listed, and the answer
// is still 200.
func (p *Process) ready(w http.ResponseWriter, _ *http.Request) {
	now := p.reporter.look()
	state := struct {
		Ready    bool              `json:"ready"`
		Problems map[string]string `json:"problems,omitempty"`
		Warnings map[string]string `json:"warnings,omitempty"`
	}{len(now.Problems) == 0, now.Problems, now.Warnings}
	w.Header().Set("Content-Type", "application/json")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ") // a line for each part, for people with curl
	out.SetEscapeHTML(false)
	// If the client is gone, nobody needs the answer.
	_ = out.Encode(state)
}

// serve answers requests on l, which it closes, until ctx ends. It bounds connections and
// how long a request takes to come, not how long an answer takes to write: handlers do.
func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 16,
		BaseContext: func(net.Listener) context.Context { return requests },
		ConnState:   newWebConns(webConnsOf(), log).state, ErrorLog: serverLog(log),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve http on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	cancel()
	stop, stopped := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stopped()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http on %s: %w", l.Addr(), err)
	}
	return nil
}

// serverLog is where a server logs what is wrong. Anybody can make handshakes fail, as often
// as they like.
func serverLog(to *slog.Logger) *log.Logger {
	return log.New(serverLines{to}, "", 0)
}

type serverLines struct{ log *slog.Logger }

func (s serverLines) Write(line []byte) (int, error) {
	level := slog.LevelError
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		level = slog.LevelDebug
	}
	s.log.Log(context.Background(), level, "web server", "error", topics.Clean(string(line)))
	return len(line), nil
}
