package console

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/crashtest"
	"github.com/frostwatch/frostwatch/topics"
)

// TestMain is also a process that tries a camera which crashes it.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"ingest", ingest.ProbeCommand}) {
		crashtest.InC()
	}
	goleak.VerifyTestMain(m)
}

// served is a console over a wall of its own: nothing listens at its Kafka's address.
func served(t *testing.T) (*Console, *httptest.Server) {
	t.Helper()
	return servedAs(t, config.Console{}, slog.New(slog.DiscardHandler))
}

// servedAs is one that is reached and used as a configuration says.
func servedAs(t *testing.T, who config.Console, log *slog.Logger) (*Console, *httptest.Server) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	client, err := bus.New(bus.Options{Brokers: []string{"127.0.0.1:1"}, ClientID: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	names := topics.Names{Prefix: topics.DefaultPrefix}
	table, err := cameras.New(cameras.Options{Cameras: rowsOf(), Status: rowsOf(), Workers: rowsOf(), Age: client.Age, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	past, err := archive.NewReader(archive.ReaderOptions{Log: client, Names: names})
	if err != nil {
		t.Fatal(err)
	}
	alerts := alertlog.New(alertlog.Options{Bus: client, Names: names, Reader: past})
	c, err := New(Options{Bus: client, Names: names, Cameras: table, Past: past, Alerts: alerts, Version: "test", Access: who, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	c.fleet = newRecent(fleetAge, func(context.Context) (fleet.Fleet, error) {
		return fleet.Fleet{Workers: []fleet.Worker{{Name: "w", Alive: true, Stages: map[string]topics.WorkerStage{"infer": {Lag: 7}}}}, Wrong: []fleet.Wrong{{What: "<script>wrong", Do: "mend it"}}}, nil
	})
	c.readHistory = func(context.Context, *history) error { return nil }
	server := httptest.NewServer(c.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, server
}

func get(t *testing.T, url string, set ...string) (int, string) {
	t.Helper()
	return send(t, http.MethodGet, url, set...)
}

func send(t *testing.T, method, url string, set ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(set); i += 2 {
		if set[i] == "Host" {
			r.Host = set[i+1]
		} else {
			r.Header.Set(set[i], set[i+1])
		}
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

// A page elsewhere may make its own name resolve to this machine, or send forms here.
func TestOnlyThisMachinesPagesAreAnswered(t *testing.T) {
	_, server := served(t)
	for _, path := range []string{"/", "/api/v1/cameras", "/api/v1/events", "/static/console.css", "/nothing"} {
		if code, body := get(t, server.URL+path, "Host", "evil.example:8070"); code != http.StatusMisdirectedRequest {
			t.Errorf("%s as evil.example: %d %.80s", path, code, body)
		}
	}
	for _, host := range []string{"localhost:1", "127.0.0.1", "[::1]:8070", "LOCALHOST"} {
		if code, _ := get(t, server.URL+"/", "Host", host); code != http.StatusOK {
			t.Errorf("as %s: %d", host, code)
		}
	}
	if code, _ := send(t, http.MethodPost, server.URL+"/api/v1/cameras", "Sec-Fetch-Site", "cross-site"); code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", code)
	}
}

// Names come from Kafka; the answer's policy is the second wall.
func TestPagesShowHostileTextAsText(t *testing.T) {
	c, server := served(t)
	hostile := `"><script>alert(1)</script>`
	e := streaming("lobby", hostile)
	e.Status.State, e.Status.Reason = topics.StreamWaiting, hostile
	c.wall.setCameras([]cameras.Entry{e})
	for _, path := range []string{"/", "/cameras/lobby", "/cameras/%3Cscript%3E", "/health"} {
		a, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if strings.Contains(string(body), "<script>") {
			t.Errorf("%s: %s", path, body)
		}
		if p := a.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
}

func TestTheAPIDescribesItself(t *testing.T) {
	c, server := served(t)
	c.wall.setCameras([]cameras.Entry{streaming("lobby", "ward")})
	_, text := get(t, server.URL+"/api/v1/openapi.json")
	var described struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(text), &described); err != nil || !strings.HasPrefix(described.OpenAPI, "3.1") || len(described.Paths) == 0 {
		t.Fatalf("%v: %.200s", err, text)
	}
	if loop, err := json.Marshal(described.Paths["/api/v1/cameras/{camera}/loop"]); err != nil || !strings.Contains(string(loop), `"image/jpeg"`) || strings.Contains(string(loop), "base64") {
		t.Errorf("a loop is described as %s, %v", loop, err)
	}
	if code, body := get(t, server.URL+"/api/v1/cameras/lobby"); code != http.StatusOK || !strings.Contains(body, `"tags":["ward"]`) || strings.Contains(body, "$schema") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := get(t, server.URL+"/api/v1/cameras/lobby/loop"); code != http.StatusNotFound || !strings.Contains(body, "no clip of the camera") {
		t.Errorf("a loop before the first clip: %d %s", code, body)
	}
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	_, server := served(t)
	for path, want := range map[string][]string{"/health": {"&lt;script&gt;wrong", "mend it", "infer", "<td class=\"number\">7</td>"}, "/api/v1/health": {`"what":"`, `"lag":7`}} {
		_, body := get(t, server.URL+path)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %s: %s", path, text, body)
			}
		}
	}
}

func TestEventsBeginWithEverything(t *testing.T) {
	c, server := served(t)
	c.wall.setCameras([]cameras.Entry{streaming("lobby"), streaming("yard")})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	lines := bufio.NewScanner(a.Body)
	event := func() (kind, data string) {
		for lines.Scan() && lines.Text() != "" {
			kind += strings.TrimPrefix(lines.Text(), "event: ")
			if after, is := strings.CutPrefix(lines.Text(), "data: "); is {
				kind, data = strings.TrimSuffix(kind, lines.Text()), after
			}
		}
		return kind, data
	}
	if kind, data := event(); kind != "wall" || strings.Count(data, `"camera":`) != 2 || !strings.Contains(data, `"streaming":2`) {
		t.Errorf("%s: %s", kind, data)
	}
	c.wall.setRecognition(recognised("yard", 1, topics.LabelScore{Label: "climbing", Contrast: 0.5}))
	if kind, data := event(); kind != "change" || strings.Count(data, `"camera":`) != 1 || !strings.Contains(data, "climbing") {
		t.Errorf("%s: %s", kind, data)
	}
}

// A page that reads nothing keeps nobody waiting, and is given up.
func TestAStalledPageIsLeft(t *testing.T) {
	t.Parallel()
	c, server := served(t)
	c.wall.setCameras([]cameras.Entry{streaming("lobby")})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	tag := strings.Repeat("x", 400)
	seers := func() int {
		c.wall.mu.Lock()
		defer c.wall.mu.Unlock()
		return len(c.wall.seers)
	}
	seen := false
	deadline := time.Now().Add(time.Minute)
	for n := 0; !seen || seers() > 0; n++ {
		seen = seen || seers() > 0
		if time.Now().After(deadline) {
			t.Fatal("a page that reads nothing is served for ever")
		}
		var all []cameras.Entry
		for i := range 20 * 26 { // some 300 KB an event
			all = append(all, streaming("lobby"+string(rune('a'+i/26))+string(rune('a'+i%26)), tag, string(rune('a'+n%26))))
		}
		begun := time.Now()
		c.wall.setCameras(all)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("the wall waited %v for a page", took)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Who may not see a page is told why, where they can go on.
func TestAPageThatIsNotForYouSaysWhy(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	for path, why := range map[string]string{"/rules": "Rules are shown to those who see every camera.", "/cameras": "those who see every camera.", "/cameras/lobby/edit": "needs the role admin"} {
		if code, body := ask(t, server, "GET "+path, "", "limited", ""); code != http.StatusForbidden || !strings.Contains(body, why) || !strings.Contains(body, `<nav class="rail"`) {
			t.Errorf("%s: %d %.300s", path, code, body)
		}
	}
}
