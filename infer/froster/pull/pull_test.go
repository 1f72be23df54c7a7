package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server serves content at /model.pt with faults.
type server struct {
	content  []byte
	tag      string
	noRanges bool
	dropAt   int                          // bytes of a body after which the connection is dropped; 0: never
	chunk    int                          // most bytes of an answer to a range; 0: any
	stall    int                          // requests that get a header and nothing else
	then     func(s *server, request int) // before each request
	requests []string                     // Range headers
	extra    []byte                       // beyond the content
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r.Header.Get("Range"))
	if s.then != nil {
		s.then(s, len(s.requests))
	}
	if r.URL.Path != "/model.pt" {
		http.NotFound(w, r)
		return
	}
	begin, end := 0, len(s.content)
	if s.tag != "" {
		w.Header().Set("ETag", s.tag)
	}
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &begin); err == nil && !s.noRanges && (r.Header.Get("If-Range") == s.tag) {
		if begin >= len(s.content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		if s.chunk > 0 {
			end = min(end, begin+s.chunk)
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", begin, end-1, len(s.content)))
		w.Header().Set("Content-Length", strconv.Itoa(end-begin))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		begin = 0
		if s.extra == nil {
			w.Header().Set("Content-Length", strconv.Itoa(len(s.content)))
		}
	}
	if s.stall > 0 {
		s.stall--
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	body := append(bytes.Clone(s.content[begin:end]), s.extra...)
	if s.dropAt > 0 && len(body) > s.dropAt {
		_, _ = w.Write(body[:s.dropAt])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func start(t *testing.T, s *server) (Options, Checkpoint) {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return Options{Dir: t.TempDir(), Client: client, Backoff: time.Millisecond, Idle: 5 * time.Second},
		Checkpoint{Name: "Test/1", URL: h.URL + "/model.pt", SHA256: sum(s.content)}
}

func TestFetchSurvivesAPoorConnection(t *testing.T) {
	for _, c := range []struct {
		name   string
		server server
		ranges bool // whether a later request asked for a part
	}{
		{"good", server{tag: `"a"`}, false},
		{"dropped many times", server{tag: `"a"`, dropAt: 30_000}, true},
		{"dropped, no ETag", server{dropAt: 30_000}, true},
		{"no ranges", server{noRanges: true, dropAt: 90_000, then: func(s *server, n int) {
			if n == 3 {
				s.dropAt = 0
			}
		}}, true},
		{"gives less than asked for", server{tag: `"a"`, dropAt: 30_000, chunk: 25_000}, true},
		{"stalls", server{tag: `"a"`, stall: 2}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.server
			s.content = content(100_000)
			o, checkpoint := start(t, &s)
			if s.stall > 0 {
				o.Idle = 50 * time.Millisecond
			}
			var done int64
			o.Progress = func(n, total int64) {
				if total != 100_000 {
					t.Errorf("of %d bytes", total)
				}
				done = n
			}
			file, err := Fetch(t.Context(), o, checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, s.content) || done != 100_000 {
				t.Errorf("%d bytes, progress %d, %v", len(got), done, err)
			}
			asked := strings.Contains(strings.Join(s.requests, ","), "bytes=")
			if asked != c.ranges {
				t.Errorf("ranges asked for: %q", s.requests)
			}
			before := len(s.requests)
			if _, err := Fetch(t.Context(), o, checkpoint); err != nil || len(s.requests) != before {
				t.Errorf("a second pull made %d requests, %v", len(s.requests)-before, err)
			}
			left, err := os.ReadDir(o.Dir)
			if err != nil || len(left) != 1 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Ctrl-C, and pull once more.
func TestFetchGoesOnWhereItWasEnded(t *testing.T) {
	s := &server{content: content(100_000), tag: `"a"`, dropAt: 60_000}
	o, checkpoint := start(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	o.Retry = func(error) { cancel() }
	if _, err := Fetch(ctx, o, checkpoint); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "goes on from 60000 bytes") {
		t.Fatalf("ended with %v", err)
	}
	s.dropAt = 0
	if _, err := Fetch(t.Context(), o, checkpoint); err != nil {
		t.Fatal(err)
	}
	if last := s.requests[len(s.requests)-1]; last != "bytes=60000-" {
		t.Errorf("asked for %q", last)
	}
}

// A file that is replaced while it is fetched must not become half of each.
func TestFetchOfAFileThatChanges(t *testing.T) {
	s := &server{content: content(100_000), tag: `"a"`, dropAt: 60_000}
	o, checkpoint := start(t, s)
	fresh := bytes.Repeat([]byte("new"), 40_000)
	checkpoint.SHA256 = sum(fresh)
	s.then = func(s *server, n int) {
		if n == 2 {
			s.content, s.tag, s.dropAt = fresh, `"b"`, 0
		}
	}
	file, err := Fetch(t.Context(), o, checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, fresh) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestFetchRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		server server
		change func(*Options, *Checkpoint)
		want   string
		left   int // files that stay for the next try
	}{
		{"wrong content", server{}, func(_ *Options, c *Checkpoint) { c.SHA256 = sum(nil) }, "want " + sum(nil), 0},
		{"never whole, without ranges", server{noRanges: true, then: func(s *server, n int) { s.dropAt = 90_000 - n%2*10_000 }},
			func(o *Options, _ *Checkpoint) { o.Attempts = 3 }, "gave up after 3 tries", 2},
		{"not there", server{}, func(_ *Options, c *Checkpoint) { c.URL = strings.Replace(c.URL, "model", "other", 1) }, "404", 0},
		{"announces too much", server{}, func(_ *Options, c *Checkpoint) { c.Size = 99_999 }, "100000 bytes, more than 99999", 0},
		{"sends too much", server{extra: content(50_000)}, func(_ *Options, c *Checkpoint) { c.Size = 100_000 }, "more than 100000 bytes came", 0},
		{"always stalls", server{stall: 100}, func(o *Options, _ *Checkpoint) { o.Idle, o.Attempts = 20*time.Millisecond, 3 }, "nothing came for 20ms", 2},
		{"no place", server{}, func(o *Options, _ *Checkpoint) { o.Dir = "/proc/nowhere" }, "/proc/nowhere", 0},
		{"nobody there", server{}, func(o *Options, c *Checkpoint) { c.URL, o.Attempts = "http://127.0.0.1:1/model.pt", 2 }, "gave up after 2 tries", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.server
			s.content = content(100_000)
			o, checkpoint := start(t, &s)
			dir := o.Dir
			c.change(&o, &checkpoint)
			_, err := Fetch(t.Context(), o, checkpoint)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "Test/1") {
				t.Errorf("got %v, want one about %q", err, c.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != c.left {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	own := filepath.Join(t.TempDir(), "list.json")
	if err := os.WriteFile(own, []byte(`[{"name": "mine/1", "url": "https://models.example/m.safetensors", "sha256": "`+sum(nil)+`"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	known, err := Known(own)
	if err != nil || len(known) != 8 {
		t.Fatalf("%v, %v", known, err)
	}
	for _, name := range []string{"mine/1", "ViT-B/16", "vit-b-16", "ViT-L-14"} {
		c, err := Find(known, name)
		if err != nil || !strings.EqualFold(plain(c.Name), plain(name)) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		if strings.HasPrefix(c.Name, "ViT") && !strings.Contains(c.URL, c.SHA256) {
			t.Errorf("%s: its address does not carry its SHA-256", c.Name)
		}
	}
	for _, name := range []string{"pe-core-t16", "PE-Core-S16", "pe-core-b16", "pe-core-l14"} {
		c, err := Find(known, name)
		if err != nil || c.Size < 1<<28 || !strings.Contains(c.Note, "not checked") || c.Folder() != strings.ToLower(name) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := Find(known, "GPT"); err == nil || !strings.Contains(err.Error(), "ViT-B/16") {
		t.Errorf("an unknown name: %v", err)
	}
	for content, want := range map[string]string{
		`[{"name": "x", "url": "file:///etc/passwd", "sha256": "` + sum(nil) + `"}]`: "http or https",
		`[{"name": "x", "url": "https://a/b", "sha256": "12"}]`:                      "64 hexadecimal",
		`{`: "list.json",
	} {
		if err := os.WriteFile(own, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Known(own); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", content, err)
		}
	}
}
