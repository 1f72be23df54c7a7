package commands

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A container is judged by the exit status, and what its process said is what `docker
// inspect` shows.
func TestHealthcheck(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("{\n \"problems\": \"no Kafka\x1b[31m\"}"))
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	}))
	address := strings.TrimPrefix(s.URL, "http://")
	ask := func(args ...string) (int, string, string) {
		var out, wrong bytes.Buffer
		code := Run(t.Context(), Program{Args: append([]string{"healthcheck"}, args...), Out: &out, Err: &wrong})
		return code, out.String(), wrong.String()
	}
	if code, out, wrong := ask(address); code != 0 || out != "ok\n" {
		t.Errorf("a process that runs: %d, %q, %q", code, out, wrong)
	}
	if code, out, wrong := ask("--ready", address); code != 1 || out != "{ \"problems\": \"no Kafka [31m\"}\n" || !strings.Contains(wrong, "/readyz answers 503") {
		t.Errorf("one that can't work: %d, %q, %q", code, out, wrong)
	}
	for _, odd := range []string{"ops:hunter2@" + address, "http://ops:hunter2@" + address, "ops:hunter2@ho st", address + "?password=hunter2", "[ops:hunter2@h]:80", "%zz:80"} {
		if code, _, wrong := ask(odd); code != 1 || strings.Contains(wrong, "hunter2") || !strings.Contains(wrong, "want host:port") {
			t.Errorf("%s: %d, %q", odd, code, wrong)
		}
	}
	s.Close()
	if code, _, wrong := ask(address); code != 1 || !strings.Contains(wrong, "connection refused") {
		t.Errorf("none: %d, %q", code, wrong)
	}
}
