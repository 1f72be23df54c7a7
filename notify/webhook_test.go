package notify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func send(t *testing.T, text string) error {
	t.Helper()
	return plan(t, text).Test(t.Context(), "ops", noon)
}

func TestWebhooksKeepToPublicAddresses(t *testing.T) {
	h := startHook(t)
	for _, url := range []string{h.URL, "http://localhost:1", "http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://[fe80::1]/", "http://[::ffff:127.0.0.1]/", "http://100.64.0.1/", "http://0.0.0.0/"} {
		if err := send(t, "- {name: ops, webhook: {url: '"+url+"'}}"); !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v, want it refused", url, err)
		}
	}
	if got := h.accepted(); len(got) > 0 {
		t.Errorf("accepted %q", got)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for _, c := range []struct {
		code    int
		refused bool
		want    string
	}{
		{http.StatusNoContent, false, ""},
		{http.StatusUnprocessableEntity, true, "answered 422"},
		{http.StatusUnauthorized, false, "answered 401"},
		{http.StatusTooManyRequests, false, "answered 429"},
		{http.StatusFound, false, "redirects (302), which is not followed"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.code)
			_, _ = w.Write([]byte("\x1b[31mno"))
		}))
		err := send(t, "- {name: ops, webhook: {url: '"+server.URL+"/t0ken', private: true}}")
		server.Close()
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%d: %v, want %q", c.code, err, c.want)
		case errors.Is(err, ErrRefused) != c.refused:
			t.Errorf("%d: refused for good: %v, want %v", c.code, !c.refused, c.refused)
		case err != nil && strings.ContainsAny(err.Error(), "\x1b") || err != nil && strings.Contains(err.Error(), "t0ken"):
			t.Errorf("%d: %q shows what it should not", c.code, err)
		}
	}
}

func TestWebhookThatHangs(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer server.Close()
	defer close(over)
	begun := time.Now()
	err := send(t, "- {name: ops, webhook: {url: '"+server.URL+"', private: true, timeout: 200ms}}")
	if err == nil || !strings.Contains(err.Error(), "no answer in time") || time.Since(begun) > attemptTime/2 {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

func TestWebhookTemplate(t *testing.T) {
	h := startHook(t)
	err := send(t, `
- name: ops
  webhook:
    url: `+h.URL+`
    private: true
    content_type: text/plain
    template: '{{range .Events}}{{.Alert.Camera}} {{json .Text}}{{end}}'
`)
	if err != nil {
		t.Fatal(err)
	}
	if body := h.bodies[0]; body != `test "test: a test of notification, since 11:59:55, contrast 0.93 (rule test, info): no camera has seen anything"` || h.heads[0].Get("Content-Type") != "text/plain" {
		t.Errorf("body %s, headers %v", body, h.heads[0])
	}
}
