package notify

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
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

// A template that names what there is not is refused at once, also where only some events
// would come upon it, with what there is.
func TestWebhookTemplateOfUnknownFields(t *testing.T) {
	for template, want := range map[string]string{
		"{{.Txt}}": "there is no .Txt (did you mean .Text?): want one of .Events, .Key, .Receiver, .Text",
		"{{range .Events}}{{.Alrt.Camera}}{{end}}":                                       "there is no .Alrt (did you mean .Alert?): want one of .Alert, .Film",
		`{{range .Events}}{{if eq .Alert.State "cleared"}}{{.Alert.Labl}}{{end}}{{end}}`: "there is no .Labl (did you mean .Label?)",
		`{{range .Events}}{{if eq .Verdict.Says "no"}}{{.Verdict.Why}}{{end}}{{end}}`:    "there is no .Why: want one of .Alert, .At, ",
		"{{if gt (len .Events) 1}}{{.Count}}{{end}}":                                     "there is no .Count: want one of",
	} {
		raw, err := config.RawOf("receivers", fmt.Appendf(nil, "- {name: ops, webhook: {url: 'http://a.example', template: %q}}", template))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", template, err, want)
		}
	}
}

// An address that can't be reached is named once, and the one that a name stands for beside it.
func TestErrorsNameAnAddressOnce(t *testing.T) {
	for text, want := range map[string]string{
		"webhook: {url: 'http://127.0.0.1:1/x', private: true}":         "127.0.0.1:1: connection refused",
		"webhook: {url: 'http://localhost:1/x', private: true}":         "localhost:1: 127.0.0.1:1: connection refused",
		"webhook: {url: 'http://localhost:1/x'}":                        "localhost:1: 127.0.0.1:1: " + errPrivate.Error(),
		"webhook: {url: 'http://127.0.0.1:1/x'}":                        "127.0.0.1:1: " + errPrivate.Error(),
		"mqtt: {url: 'mqtt://127.0.0.1:1', private: true, timeout: 1s}": "127.0.0.1:1: connection refused",
	} {
		err := send(t, "- {name: ops, "+text+"}")
		if err == nil || strings.ReplaceAll(err.Error(), "[::1]", "127.0.0.1") != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
