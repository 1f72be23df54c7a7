package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs the endpoints and returns their base URL and what ends them: the
// result of Serve.
func serve(t *testing.T, metrics http.Handler, h *telemetry.Health) (base string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- telemetry.Serve(ctx, l, metrics, h) }()
	stopped := false
	stop = func() error {
		cancel()
		if stopped {
			return nil
		}
		stopped = true
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("Serve has not returned")
		}
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), stop
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

func TestReadyWhenEveryCheckIs(t *testing.T) {
	h := telemetry.NewHealth("vocabulary", "infer")
	base, _ := serve(t, http.NotFoundHandler(), h)
	for _, step := range []struct {
		name     string
		do       func()
		problems map[string]string
	}{
		{"at first", func() {}, map[string]string{"vocabulary": "starting", "infer": "starting"}},
		{"one well", func() { h.Set("infer", nil) }, map[string]string{"vocabulary": "starting"}},
		{"both well", func() { h.Set("vocabulary", nil) }, nil},
		{"redis away", func() { h.Set("vocabulary", errors.New("redis is away")) }, map[string]string{"vocabulary": "redis is away"}},
		{"redis back", func() { h.Set("vocabulary", nil) }, nil},
		{"a check not named before", func() { h.Set("alerts", errors.New("no rules")) }, map[string]string{"alerts": "no rules"}},
	} {
		step.do()
		status, body := get(t, base+"/readyz")
		var got struct {
			Ready    bool
			Problems map[string]string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %q: %v", step.name, body, err)
		}
		want := http.StatusOK
		if len(step.problems) > 0 {
			want = http.StatusServiceUnavailable
		}
		if status != want || got.Ready != (len(step.problems) == 0) || !maps.Equal(got.Problems, step.problems) {
			t.Errorf("%s: %d %s, want %d with problems %v", step.name, status, strings.TrimSpace(body), want, step.problems)
		}
		// Not being ready is no reason to be killed.
		if status, _ := get(t, base+"/healthz"); status != http.StatusOK {
			t.Errorf("%s: /healthz is %d", step.name, status)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	entered := make(chan struct{})
	gone := make(chan struct{})
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done() // a scrape that never ends by itself
		close(gone)
	})
	base, stop := serve(t, slow, telemetry.NewHealth())
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := stop(); err != nil {
		t.Errorf("Serve: %v, want nil when asked to end", err)
	}
	<-gone
	if c, err := net.DialTimeout("tcp", strings.TrimPrefix(base, "http://"), time.Second); err == nil {
		_ = c.Close()
		t.Error("the port still answers")
	}
}

func TestServeTellsOfADeadListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err = telemetry.Serve(context.Background(), l, http.NotFoundHandler(), telemetry.NewHealth())
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v, want one that names %s", err, l.Addr())
	}
}
