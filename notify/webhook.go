package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/template"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Webhook is an HTTP server that notifications are posted to.
type Webhook struct {
	URL     config.Secret            `yaml:"url"`     // secret: many hold a token in their path
	Secret  config.Secret            `yaml:"secret"`  // signs what is sent (docs/notify.md); empty: not signed
	Headers map[string]config.Secret `yaml:"headers"` // sent with each request
	// Template of the body, by Go's text/template; empty: the notification as JSON.
	Template string        `yaml:"template"`
	Type     string        `yaml:"content_type"` // empty: application/json
	Timeout  time.Duration `yaml:"timeout"`      // of a request; 0: 10 s
	// Private allows private, local and link-local addresses.
	Private bool `yaml:"private"`
}

// Headers of each request. The signature is the hexadecimal HMAC-SHA256, under the
// secret, of the time (Unix seconds, in HeaderTime), a full stop and the body: with the
// time in it, a request that somebody recorded can't be replayed later.
const (
	HeaderKey       = "Idempotency-Key"
	HeaderTime      = "X-Frostwatch-Time"
	HeaderSignature = "X-Frostwatch-Signature"
)

// maxBody bounds a body that a template makes.
const maxBody = 1 << 20

type webhook struct {
	Webhook
	body    *template.Template // nil: JSON
	secrets map[string]bool    // that no error may hold
	client  *http.Client
	now     func() time.Time
}

func newWebhook(w Webhook) (Sender, error) {
	u, err := url.Parse(w.URL.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("webhook.url: want http://host/path or https://host/path")
	}
	h := &webhook{Webhook: w, now: time.Now, secrets: secretsOf(u, w.Headers, w.Secret)}
	if w.Template != "" {
		if h.body, err = newTemplate(w.Template); err != nil {
			hint := cmp.Or(fieldHint(err), "it may use .Receiver, .Text, .Key and .Events, each with .Key, .Text, .Alert and .Verdict")
			return nil, fmt.Errorf("webhook.template: %w: %s", err, hint)
		}
	}
	if h.Type == "" {
		h.Type = "application/json"
	}
	if h.Timeout == 0 {
		h.Timeout = 10 * time.Second
	}
	if h.Timeout < 100*time.Millisecond || h.Timeout > attemptTime {
		return nil, fmt.Errorf("webhook.timeout: %v: want 100ms to %v", w.Timeout, attemptTime)
	}
	h.client = newHTTPClient(h.Timeout, w.Private)
	return h, nil
}

func (h *webhook) useClock(now func() time.Time) { h.now = now }

// Send posts a notification.
func (h *webhook) Send(ctx context.Context, n Notification) error {
	body, err := h.render(n)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("make the request: the URL is wrong")
	}
	req.Header.Set("Content-Type", h.Type)
	req.Header.Set("User-Agent", "frostwatch")
	req.Header.Set(HeaderKey, n.Key())
	for name, value := range h.Headers {
		req.Header.Set(name, value.Reveal())
	}
	if h.Secret != "" {
		at := strconv.FormatInt(h.now().Unix(), 10)
		req.Header.Set(HeaderTime, at)
		req.Header.Set(HeaderSignature, Sign(h.Secret.Reveal(), at, body))
	}
	return post(h.client, req, h.secrets)
}

// Sign is the signature of a body that is sent at a time, in Unix seconds.
func Sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(at + ".")) // never fails
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (h *webhook) render(n Notification) ([]byte, error) {
	if h.body == nil {
		return json.Marshal(n)
	}
	out := &bounded{most: maxBody}
	if err := h.body.Execute(out, n); err != nil {
		return nil, fmt.Errorf("webhook.template: %w: %w", ErrRefused, err)
	}
	return out.Bytes(), nil
}

// newTemplate parses a template over Notification. The function json writes a value as
// JSON, so that texts can't break a body that is JSON.
func newTemplate(text string) (*template.Template, error) {
	asJSON := func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	}
	t, err := template.New("template").Option("missingkey=error").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return nil, err
	}
	return t, tryTemplate(t)
}

// tryTemplate finds fields that there are not, also where a template has a part for each
// state, or for alerts that have a second opinion.
func tryTemplate(t *template.Template) error {
	for _, state := range []topics.AlertState{topics.AlertRaised, topics.AlertEscalated, topics.AlertCleared} {
		for _, said := range []topics.Verdict{{}, {Says: topics.SaysNo, Reason: "nobody is there"}} {
			n := example("test", time.Unix(0, 0))
			e := &n.Events[0]
			e.Alert.State, e.Key = state, e.Alert.ID+"/"+string(state)
			n.Events[0] = e.judged(said)
			if err := t.Execute(io.Discard, n); err != nil {
				return err
			}
			n.Events = append(n.Events, n.Events[0])
			if err := t.Execute(io.Discard, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// bounded is a buffer that refuses to grow beyond a size.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, fmt.Errorf("more than %d bytes", b.most)
	}
	return b.Buffer.Write(p)
}
