package console

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/frostwatch/frostwatch/topics"
)

// described is what is used of the API's description.
type described struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name   string `json:"name"`
		In     string `json:"in"`
		Schema schema `json:"schema"`
	} `json:"parameters"`
	Body struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"` // a name, or several
	Enum       []any             `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// odd are texts that programs stumble over.
var odd = []string{
	"", " ", "0", "-1", "null", "true", "NaN", "1e999", "9223372036854775808", "lobby", "fall", "../../etc/passwd", "%00", "\x00", "\x1b[31m", "\u202eevil", "💥",
	"'; DROP TABLE alerts; --", "<script>alert(1)</script>", "{{.}}", "*", "[", "(((((", "2026-02-30", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
	"1h", "-99999h", "Europe/Berlin", "../Berlin", strings.Repeat("x", 5000), strings.Repeat("é", 300), "rtsp://u:p@127.0.0.1:1/x", "file:///etc/passwd", "http://169.254.169.254/",
}

// maker makes values for a description: most as it says, some not.
type maker struct {
	*rand.Rand
	schemas map[string]schema
	known   map[string][]string // values of parameters that there are
}

func (m maker) text() string { return odd[m.IntN(len(odd))] }

func (m maker) value(s schema, depth int) any {
	if s.Ref != "" {
		s = m.schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	kind, _ := s.Type.(string)
	if several, is := s.Type.([]any); is && len(several) > 0 {
		kind, _ = several[m.IntN(len(several))].(string)
	}
	if m.IntN(8) == 0 { // of the wrong kind
		kind = []string{"object", "array", "string", "number", "boolean", "null"}[m.IntN(6)]
	}
	switch {
	case len(s.Enum) > 0 && m.IntN(4) > 0:
		return s.Enum[m.IntN(len(s.Enum))]
	case kind == "object":
		out := map[string]any{}
		for name, p := range s.Properties {
			if m.IntN(5) > 0 && depth < 5 {
				out[name] = m.value(p, depth+1)
			}
		}
		if m.IntN(8) == 0 {
			out[m.text()] = m.text()
		}
		return out
	case kind == "array":
		out := []any{}
		for range m.IntN(4) {
			if s.Items != nil && depth < 5 {
				out = append(out, m.value(*s.Items, depth+1))
			}
		}
		return out
	case kind == "integer", kind == "number":
		return []any{0, 1, -1, 7, 1e9, -1e18, 0.5, 1e300}[m.IntN(8)]
	case kind == "boolean":
		return m.IntN(2) == 0
	case kind == "null":
		return nil
	}
	return m.text()
}

// param is a parameter's value, often one that there is.
func (m maker) param(name string, s schema) string {
	if k := m.known[name]; len(k) > 0 && m.IntN(3) > 0 {
		return k[m.IntN(len(k))]
	}
	return fmt.Sprint(m.value(s, 0))
}

// request is one for an operation.
func (m maker) request(t *testing.T, at, method, path string, o operation) *http.Request {
	t.Helper()
	query := url.Values{}
	for _, p := range o.Parameters {
		text := m.param(p.Name, p.Schema)
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(text))
		} else if m.IntN(3) == 0 {
			query.Set(p.Name, text)
		}
	}
	var body io.Reader
	if content, some := o.Body.Content["application/json"]; some {
		text, err := json.Marshal(m.value(content.Schema, 0))
		if err != nil {
			t.Fatal(err)
		}
		body = strings.NewReader(string(text[:len(text)-m.IntN(30)/29])) // or broken
	}
	r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), at+path+"?"+query.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// reachOut are operations that connect to other machines.
var reachOut = map[string]bool{"try-camera": true, "discover-cameras": true}

// Whatever is sent, every operation answers in time, with no fault of its own, and shows
// nothing raw.
func TestEveryOperationTakesAnything(t *testing.T) {
	t.Parallel()
	const each = 20
	c := newWorded(t)
	c.token = "admin"
	one, old := raisedAlert("fall", "lobby", time.Minute), raisedAlert("fence", "yard", 30*time.Hour)
	c.send(one, old)
	_, text := get(t, c.url+"/api/v1/openapi.json", "Authorization", "Bearer admin"+secret)
	var d described
	if err := json.Unmarshal([]byte(text), &d); err != nil || len(d.Paths) < 10 {
		t.Fatalf("%d paths, %v: %.300s", len(d.Paths), err, text)
	}
	client := &http.Client{Timeout: time.Minute}
	m := maker{rand.New(rand.NewPCG(1, 2)), d.Components.Schemas, map[string][]string{
		"id": {one.ID, old.ID}, "camera": {"hall"}, "clip": {topics.ClipID("hall", c.epoch, 40*time.Second)}, "label": {"falling down"}, "rule": {"fall"}, "month": {time.Now().Format("2006-01")}, "zone": {"Europe/Berlin"}, "limit": {"1", "20"},
		"from": {time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "2026-01-01T00:00:00Z"}, "to": {time.Now().UTC().Format(time.RFC3339)},
	}}
	for path, methods := range d.Paths {
		for method, o := range methods {
			if reachOut[o.ID] {
				continue
			}
			accepted := 0
			for range each {
				r := m.request(t, c.url, method, path, o)
				r.Header.Set("Authorization", "Bearer admin"+secret)
				a, err := client.Do(r)
				if err != nil {
					t.Fatalf("%s %s: %v", r.Method, r.URL, err)
				}
				body, err := io.ReadAll(a.Body)
				if _ = a.Body.Close(); err != nil {
					t.Fatalf("%s %s: %v", r.Method, r.URL, err)
				}
				// Nothing embeds words here, and that is said.
				away := a.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), `"detail":"`)
				if a.StatusCode >= 500 && !away || strings.ContainsFunc(string(body), raw) && strings.Contains(a.Header.Get("Content-Type"), "json") {
					t.Errorf("%s %s: %d %.500q", r.Method, r.URL, a.StatusCode, body)
				}
				if a.StatusCode < 300 {
					accepted++
				}
			}
			t.Logf("%s: %d of %d accepted", o.ID, accepted, each)
		}
	}
}

// raw is whether a character may change how a terminal or a page shows the others.
func raw(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
