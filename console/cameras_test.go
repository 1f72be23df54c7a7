package console

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// asAdmin calls the API as an admin who sees every camera.
func asAdmin(t *testing.T, server *httptest.Server, pattern, body string) (int, string) {
	t.Helper()
	return ask(t, server, pattern, "lobby", "admin", body)
}

// Whoever edits a camera sees none of its secrets, and can send them nowhere else.
func TestACameraIsEditedWithoutItsSecrets(t *testing.T) {
	var said strings.Builder
	c, server := servedAs(t, people(), slog.New(slog.NewTextHandler(&said, nil)))
	add := func(body string) (int, string) { return asAdmin(t, server, "POST /api/v1/cameras", body) }
	code, body := add(`{"camera":"lobby","url":"rtsp://10.0.0.7/s?key=s3cret","login":{"user":"viewer","password":"hunter2"},"tags":["ward"]}`)
	if code != http.StatusOK || !strings.Contains(body, `"url":"rtsp://10.0.0.7/s?***"`) || !strings.Contains(body, "its URL holds a password") {
		t.Fatalf("add: %d %s", code, body)
	}
	for want, edit := range map[string]string{
		"there is a camera lobby already": `{"camera":"lobby","url":"rtsp://10.0.0.7/s"}`,
		"is not one of ingest.protocols":  `{"camera":"a","url":"ftp://10.0.0.7/s"}`,
		"want 1 to 64 letters":            `{"camera":"a b","url":"rtsp://10.0.0.7/s"}`,
		"url is empty":                    `{"camera":"a"}`,
		"corner 2,0: want fractions":      `{"camera":"a","url":"rtsp://h/s","masks":["0,0 2,0 1,1"]}`,
		"unexpected property":             `{"camera":"a","url":"rtsp://h/s","source":"file"}`,
	} {
		if code, body := add(edit); code < 400 || code > 499 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", edit, code, body)
		}
	}
	const change = "PATCH /api/v1/cameras/{camera}"
	for _, e := range []struct {
		edit string
		code int
		want string // of the answer
		url  string // that is stored then
	}{
		{`{"tags":["a","b"]}`, 200, `"tags":["a","b"]`, "rtsp://viewer:hunter2@10.0.0.7/s?key=s3cret"},
		{`{"url":"rtsp://10.0.0.7/t?***"}`, 200, `"url":"rtsp://10.0.0.7/t?***"`, "rtsp://viewer:hunter2@10.0.0.7/t?key=s3cret"},
		{`{"url":"rtsp://10.0.0.8/t"}`, 422, "not sent to another host", "rtsp://viewer:hunter2@10.0.0.7/t?key=s3cret"},
		{`{"url":"rtsp://10.0.0.8/t","login":{"user":"u","password":"${LOBBY}"}}`, 200, "needs", "rtsp://u:${LOBBY}@10.0.0.8/t"},
		{`{"watch":"rtsp://10.0.0.8/sub","disabled":true,"views":["centre","zoom"],"decode":"demand","record":"none"}`, 200, `"disabled":true`, "rtsp://u:${LOBBY}@10.0.0.8/t"},
		{`{"masks":["0,0 0.5,0 0.5,0.5"],"zones":{"door":"0.5,0.5 1,0.5 1,1"}}`, 200, `"zones":{"door":"0.5,0.5 1,0.5 1,1"}`, "rtsp://u:${LOBBY}@10.0.0.8/t"},
		{`{"version":"0123","tags":[]}`, 409, "was changed meanwhile", "rtsp://u:${LOBBY}@10.0.0.8/t"},
	} {
		code, body := asAdmin(t, server, change, e.edit)
		if code != e.code || !strings.Contains(body, e.want) && e.want != "needs" {
			t.Errorf("%s: %d %s", e.edit, code, body)
		}
		now, err := c.Cameras.Get(t.Context(), "lobby")
		if err != nil || now.URL != e.url {
			t.Errorf("%s: %q is stored, %v", e.edit, now.URL, err)
		}
		for _, secret := range []string{"hunter2", "s3cret", "viewer"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %s: %s", e.edit, secret, body)
			}
		}
	}
	now, err := c.Cameras.Get(t.Context(), "lobby")
	if err != nil || now.Watch != "rtsp://u:${LOBBY}@10.0.0.8/sub" || !now.Disabled || len(now.Masks) != 1 || now.Decode != topics.DecodeDemand {
		t.Errorf("%+v %v", now, err)
	}
	if code, body := asAdmin(t, server, "DELETE /api/v1/cameras/{camera}", `{}`); code != http.StatusNoContent {
		t.Errorf("remove: %d %s", code, body)
	}
	for _, want := range []string{`what="add camera" camera=lobby`, `what="change camera"`, `what="remove camera"`, "who=admin role=admin from=127.0.0.1"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the log lacks %s: %s", want, said.String())
		}
	}
	if strings.Contains(said.String(), "hunter2") {
		t.Errorf("the log has a password: %s", said.String())
	}
}

// What a configuration file brings is changed there.
func TestACameraOfAFileIsReadOnly(t *testing.T) {
	c, server := servedAs(t, people(), slog.New(slog.DiscardHandler))
	if err := c.Cameras.Put(t.Context(), topics.Camera{Name: "lobby", URL: "rtsp://10.0.0.7/s", Source: topics.SourceFile}); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"PATCH /api/v1/cameras/{camera}", "DELETE /api/v1/cameras/{camera}"} {
		if code, body := asAdmin(t, server, pattern, `{}`); code != http.StatusConflict || !strings.Contains(body, "configuration file") {
			t.Errorf("%s: %d %s", pattern, code, body)
		}
	}
	if _, body := asAdmin(t, server, "GET /api/v1/cameras/{camera}/settings", ""); !strings.Contains(body, `"read_only":"It is of a configuration file`) {
		t.Error(body)
	}
}

// A try says which part is wrong, and keeps to what cameras may ask of a worker.
func TestATryKeepsToTheRules(t *testing.T) {
	t.Setenv("CONSOLE_SECRET", "hunter2")
	c, server := servedAs(t, people(), slog.New(slog.DiscardHandler))
	c.Config = config.Default()
	c.Config.Ingest.Allow = []string{"127.0.0.2"}
	if err := c.Cameras.Put(t.Context(), topics.Camera{Name: "lobby", URL: "rtsp://viewer:hunter2@10.0.0.7/s"}); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"url":"rtsp://127.0.0.1:1/s"}`:                        "URL: 127.0.0.1 is this machine itself",
		`{"url":"http://169.254.169.254/latest"}`:               "URL: 169.254.169.254 is an address of this machine's own link",
		`{"url":"file:///etc/passwd"}`:                          "URL: it is a file on this worker",
		`{"url":"gopher://10.0.0.7/"}`:                          "URL: url: its scheme",
		`{"url":"rtsp://x:${CONSOLE_SECRET}@127.0.0.2:1/s"}`:    "URL: its URL uses ${CONSOLE_SECRET}",
		`{"url":"rtsp://127.0.0.2:1/s"}`:                        "connection: port 1: ",
		`{"camera":"lobby","url":"rtsp://127.0.0.2:1/s"}`:       "URL: user name, password and what else is hidden",
		`{"url":"rtsp://127.0.0.2:1/s?***"}`:                    "URL: type what *** stands for",
		`{"url":"rtsp://a:b@127.0.0.2/s","login":{"user":"x"}}`: "",
	} {
		code, text := asAdmin(t, server, "POST /api/v1/camera-tries", body)
		var got Tried
		if err := json.Unmarshal([]byte(text), &got); want == "" {
			if code == http.StatusOK && got.Seen != nil {
				t.Errorf("%s: %s", body, text)
			}
		} else if err != nil || code != http.StatusOK || !strings.HasPrefix(got.Part+": "+got.Reason, want) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %d %s, want %s", body, code, text, want)
		}
	}
}

// A stream that crashes the decoder gives who tries it a reason, and the log one line; the
// console answers on.
func TestATryThatCrashes(t *testing.T) {
	var log bytes.Buffer
	c, server := servedAs(t, people(), slog.New(slog.NewTextHandler(&log, nil)))
	c.Probe = ingest.ProbeApart
	for range 2 {
		code, text := asAdmin(t, server, "POST /api/v1/camera-tries", `{"url":"rtsp://viewer:hunter2@10.0.0.7/s"}`)
		var got Tried
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != http.StatusOK || got.Part != "video" || !strings.Contains(got.Reason, "crashes the decoder") {
			t.Fatalf("%d %s", code, text)
		}
	}
	if n := strings.Count(log.String(), "SIGSEGV"); n != 2 || strings.Contains(log.String(), "hunter2") {
		t.Error(log.String())
	}
}

// Only so many streams are tried at once, and only so many wait.
func TestTriesAreBounded(t *testing.T) {
	p := newPlaces(1, 0)
	done, err := p.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.enter(t.Context()); err == nil {
		t.Error("a second one is let in")
	}
	done()
	if done, err = p.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	done()
}
