package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Health is what /readyz says: the process is ready when every named check is.
type Health struct {
	mu     sync.Mutex
	checks map[string]error
	asked  map[string]func() error
}

// NewHealth starts with the named checks failing as "starting".
func NewHealth(checks ...string) *Health {
	h := &Health{checks: map[string]error{}, asked: map[string]func() error{}}
	for _, c := range checks {
		h.checks[c] = errors.New("starting")
	}
	return h
}

// Set records the state of one check; nil is well.
func (h *Health) Set(check string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[check] = err
}

// Ask makes a check one that is asked for at each look. It must not block.
func (h *Health) Ask(check string, ask func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[check] = ask
}

// Problems are the failing checks and why.
func (h *Health) Problems() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string]string{}
	for name, err := range maps.All(h.checks) {
		if err != nil {
			out[name] = err.Error()
		}
	}
	for name, ask := range h.asked {
		delete(out, name)
		if err := ask(); err != nil {
			out[name] = err.Error()
		}
	}
	return out
}

func (h *Health) ready(w http.ResponseWriter, _ *http.Request) {
	problems := h.Problems()
	state := struct {
		Ready    bool              `json:"ready"`
		Problems map[string]string `json:"problems,omitempty"`
	}{len(problems) == 0, problems}
	w.Header().Set("Content-Type", "application/json")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// The client may be gone; there is no one else to tell.
	_ = json.NewEncoder(w).Encode(state)
}

// Serve answers /healthz (the process runs), /readyz and /metrics until ctx
// ends. It owns the listener.
func Serve(ctx context.Context, l net.Listener, metrics http.Handler, h *Health) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 16,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve http on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http on %s: %w", l.Addr(), err)
	}
	return nil
}
