package process

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// rig is a process without stages, against the broker at an address.
type rig struct {
	*Process
	log  stagetest.Log
	base string // URL of its web server
}

func newRig(t *testing.T, broker string, checks ...string) *rig {
	t.Helper()
	cfg := config.Default()
	cfg.Kafka.Brokers, cfg.Kafka.Partitions = []string{broker}, 2
	return openRig(t, cfg, checks...)
}

func openRig(t *testing.T, cfg config.Config, checks ...string) *rig {
	t.Helper()
	r := &rig{}
	log, err := telemetry.NewLogger(&r.log, "debug", "text")
	if err != nil {
		t.Fatal(err)
	}
	r.Process, err = Open(t.Context(), Options{Config: cfg, Logger: log, Service: "frostwatch-test", Version: "test", Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs the parts; stop ends them and returns what Run did.
func (r *rig) run(t *testing.T, parts ...Part) (stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.base = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, l, parts...) }()
	stop = sync.OnceValue(func() error {
		cancel()
		err := <-done
		if closing := r.Close(context.Background()); err == nil {
			err = closing
		}
		return err
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

// await polls until ok, or fails after a minute.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// frozen accepts connections and says nothing, as a broker that was stopped.
func frozen(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var held []net.Conn
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			held = append(held, c)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-accepting
		for _, c := range held {
			_ = c.Close()
		}
	})
	return l.Addr().String()
}
