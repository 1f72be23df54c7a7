package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

// Anybody who may write to Kafka can write anything to every topic. Good records among it
// are dealt with, before and after a start, by every stage that reads records (but infer,
// which has tests of its own); the workers stay ready and small, say what they refuse, ask
// no address of a camera that they may not, and nothing that they or the commands print
// moves a terminal.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	need(t, "redis-server", "redis-cli")
	r := startHostile(t)
	for _, s := range topics.Specs(hostilePartitions, 1) {
		r.fill(s.Topic, 1) // before anything reads
	}
	r.flood()
	for _, stage := range hostileStages {
		r.run(stage)
	}
	r.awaitReady()
	r.raise()
	for _, s := range topics.Specs(hostilePartitions, 1) {
		r.fill(s.Topic, 7) // while all of them read
	}
	r.clear()
	r.awaitReady()
	r.showPictures()
	r.look()
	for stage, p := range r.stages {
		r.counted(stage)
		inMemory(t, stage, p)
		if n := listensOnLoopback(t, stage, p.cmd.Process.Pid); n == 0 {
			t.Errorf("%s listens nowhere, or can't be looked at", stage)
		}
		p.stop(t)
		actsOnNothing(t, "the log of "+stage, p.output())
	}
	if n := r.trapped.Load(); n > 0 {
		t.Errorf("%d connections to an address that no camera may have", n)
	}
}

const hostilePartitions = 2

var hostileStages = []string{"alerts", "notify", "archive", "calibrate", "console", "ingest"}

const hostileConfig = `
kafka: {brokers: [%q], partitions: %d}
redis: {address: %q}
http: {listen: %q}
console: {listen: %q}
ingest: {allow: ["127.0.0.1"], open_timeout: 2s}
archive: {bucket: %q}
notify: {receivers: [{name: hook, webhook: {url: %q, private: true}}]}
rules:
  - {name: fall, cameras: ["good"], actions: ["falling down"], score: {raise: 0.7, clear: 0.4}, severity: critical}
  - {name: kept, cameras: ["*"], actions: [walking], false_alarms: 1 per week}
  - {name: crowd, cameras: ["*"], actions: ["falling down"], count: 2 cameras within 30s}
  - {name: gone, cameras: ["*"], stream: offline for 2m}
`

// hostile is everything but infer on a broker that anybody writes to.
type hostile struct {
	t       *testing.T
	c       *bus.Client
	names   topics.Names
	dir     string
	config  func(http string) string
	console string
	stages  map[string]*process
	http    map[string]string
	trap    string       // address that no camera may have
	trapped atomic.Int64 // connections to it
	called  atomic.Int64 // connections to the good camera
	camera  string       // its address

	epoch time.Time // of its stream

	mu        sync.Mutex
	delivered map[string]bool // keys of events
}

func startHostile(t *testing.T) *hostile {
	t.Helper()
	r := &hostile{t: t, names: topics.Names{Prefix: topics.DefaultPrefix}, dir: t.TempDir(), console: freeAddress(t),
		stages: map[string]*process{}, http: map[string]string{}, delivered: map[string]bool{}}
	broker, redis := kafkatest.StartEmbedded(t), freeAddress(t)
	runRedis(t, redis)
	r.trap = stagetest.Serve(t, "127.0.0.5", func(net.Conn) { r.trapped.Add(1) })
	r.camera = stagetest.Serve(t, "127.0.0.1", func(net.Conn) { r.called.Add(1) })
	hook := httptest.NewServer(http.HandlerFunc(r.deliver))
	t.Cleanup(hook.Close)
	r.config = func(http string) string {
		return fmt.Sprintf(hostileConfig, broker.Addr(), hostilePartitions, redis, http, r.console, filepath.Join(r.dir, "bucket"), hook.URL)
	}
	c, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "anybody", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if r.c = c; c.Ensure(t.Context(), bus.TopicSpecs(r.names, hostilePartitions, 1)) != nil {
		t.Fatal("the topics can't be made")
	}
	return r
}

func (r *hostile) deliver(_ http.ResponseWriter, req *http.Request) {
	var n notify.Notification
	if json.NewDecoder(req.Body).Decode(&n) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range n.Events {
		r.delivered[e.Key] = true
	}
}

func (r *hostile) wasDelivered(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delivered[key]
}

// fill writes the hostile records of a topic, one of so many.
func (r *hostile) fill(topic topics.Topic, of int) {
	r.t.Helper()
	var records []bus.Message
	for i, m := range hostileRecords(r.t, topic, "http://"+r.trap+"/latest/meta-data/iam") {
		if i%of == 0 {
			records = append(records, m)
		}
	}
	for len(records) > 0 {
		const large = 512 << 10 // these alone: a topic may refuse them
		n, size := 0, 0
		for ; n < len(records) && (n == 0 || size+len(records[n].Value) < large); n++ {
			records[n].Topic = r.names.Of(topic)
			size += len(records[n].Value)
		}
		if _, err := r.c.Send(r.t.Context(), records[:n]...); err != nil && (n > 1 || !bus.RecordRefused(err)) {
			r.t.Fatalf("write to %s: %v", topic, err)
		}
		records = records[n:]
	}
}

// flood writes more records that nobody can read than the archive takes together.
func (r *hostile) flood() {
	r.t.Helper()
	var records []bus.Message
	for range 4200 {
		records = append(records, bus.Message{Topic: r.names.Of(topics.Alerts), Key: []byte("good"), Value: []byte("{")})
	}
	if _, err := r.c.Send(r.t.Context(), records...); err != nil {
		r.t.Fatal(err)
	}
}

// run starts a stage and waits until it serves.
func (r *hostile) run(stage string) {
	r.t.Helper()
	r.http[stage] = freeAddress(r.t)
	file := filepath.Join(r.dir, stage+".yaml")
	if err := os.WriteFile(file, []byte(r.config(r.http[stage])), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.stages[stage] = start(r.t, stage, "--config", file)
	await(r.t, stage+" to serve", time.Minute, func() bool {
		c, err := net.Dial("tcp", r.http[stage])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (r *hostile) awaitReady() {
	r.t.Helper()
	for stage, at := range r.http {
		why := ""
		deadline := time.Now().Add(90 * time.Second)
		for code := 0; code != http.StatusOK; {
			if code, why = get(r.t, "http://"+at+"/readyz"); code != http.StatusOK && time.Now().After(deadline) {
				r.t.Fatalf("%s is not ready: %s", stage, why)
			}
			time.Sleep(50 * time.Millisecond)
		}
		actsOnNothing(r.t, "/readyz of "+stage, why)
	}
}

// see sends a recognition of the good camera.
func (r *hostile) see(score float64, n int, at time.Time) {
	r.t.Helper()
	_, value := goodRecord(r.t, topics.Actions, "")
	rec, err := topics.DecodeRecognition(value)
	if err != nil {
		r.t.Fatal(err)
	}
	rec.Epoch, rec.Sequence = at, uint64(n)
	rec.Start = at.Add(time.Duration(n) * 2 * time.Second)
	rec.End = rec.Start.Add(4 * time.Second)
	rec.ClipID = topics.ClipID("good", at, rec.Start.Sub(at))
	rec.Labels[0].Score, rec.Labels[0].Contrast = score, score
	if value, err = topics.EncodeRecognition(rec); err == nil {
		_, err = r.c.Send(r.t.Context(), bus.Message{Topic: r.names.Of(topics.Actions), Key: []byte("good"), Value: value})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// raise has a fall on the good camera be raised, delivered and listed.
func (r *hostile) raise() {
	r.t.Helper()
	value, err := topics.EncodeCamera(topics.Camera{Name: "good", URL: "rtsp://" + r.camera + "/stream"})
	if err == nil {
		_, err = r.c.Table(r.names.Of(topics.Cameras)).Put(r.t.Context(), "good", value, "")
	}
	if err != nil {
		r.t.Fatal(err)
	}
	await(r.t, "a connection to the good camera", time.Minute, func() bool { return r.called.Load() > 0 })
	r.epoch = time.Now().UTC().Truncate(time.Millisecond)
	r.see(.9, 0, r.epoch)
	await(r.t, "delivery of its alert", time.Minute, func() bool { return r.wasDelivered(r.alert() + "/raised") })
	await(r.t, "the console to list it", time.Minute, func() bool {
		code, body := get(r.t, "http://"+r.console+"/api/v1/alerts?camera=good")
		return code == http.StatusOK && strings.Contains(body, r.alert())
	})
}

// clear has the fall be cleared.
func (r *hostile) clear() {
	r.t.Helper()
	r.see(.1, 1, r.epoch)
	await(r.t, "delivery of the clear", time.Minute, func() bool { return r.wasDelivered(r.alert() + "/cleared") })
}

func (r *hostile) alert() string { return topics.AlertID("fall", topics.ClipID("good", r.epoch, 0)) }

// showPictures asks for the pictures of an alert whose evidence is a bomb.
func (r *hostile) showPictures() {
	r.t.Helper()
	_, value := goodRecord(r.t, topics.Alerts, "")
	a, err := topics.DecodeAlert(value)
	if err != nil {
		r.t.Fatal(err)
	}
	clip, err := topics.EncodeClip(clipOf(time.Now(), bombJPEG(r.t)))
	if err != nil {
		r.t.Fatal(err)
	}
	at, err := r.c.Send(r.t.Context(), bus.Message{Topic: r.names.Of(topics.Evidence), Key: []byte(a.ID), PartitionBy: []byte("good"), Value: clip})
	if err != nil {
		r.t.Fatal(err)
	}
	a.Evidence = &at[0]
	if value, err = topics.EncodeAlert(a); err == nil {
		_, err = r.c.Send(r.t.Context(), bus.Message{Topic: r.names.Of(topics.Alerts), Key: []byte("good"), Value: value})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for _, kind := range []string{"/strip", "/loop", "/lead"} {
		code, body := get(r.t, "http://"+r.console+"/api/v1/alerts/"+strings.ReplaceAll(a.ID, "/", "%2F")+kind)
		if code >= http.StatusInternalServerError {
			r.t.Errorf("%s of a bomb: %d %.200q", kind, code, body)
		}
	}
	out, _ := frostwatch(r.t, "alerts", "show", a.ID, "--out", filepath.Join(r.dir, "shown"), "--config", filepath.Join(r.dir, "alerts.yaml"))
	actsOnNothing(r.t, "alerts show", out)
}

// look runs the commands that print what is on the topics, and asks for the console's
// pages.
func (r *hostile) look() {
	r.t.Helper()
	for _, command := range []string{
		"alerts ls", "alerts ls --json", "alerts ls --open", "alerts report", "alerts thresholds", "alerts thresholds --json", "alerts explain good now", "alerts backtest --since 1h",
		"camera ls", "camera ls --json", "status", "status --json", "silence ls", "silence ls --json", "profile ls", "rule ls", "rule show fall", "archive ls", "archive check", "vocab ls",
	} {
		out, err := frostwatch(r.t, append(strings.Fields(command), "--config", filepath.Join(r.dir, "alerts.yaml"))...)
		actsOnNothing(r.t, command, out)
		if err != nil && (strings.Contains(command, " ls") || strings.HasPrefix(command, "status")) {
			r.t.Errorf("%s: %v: %.500s", command, err, out)
		}
	}
	for _, page := range []string{"/", "/health", "/review", "/timeline", "/cameras", "/rules", "/words", "/search", "/cameras/good",
		"/api/v1/cameras", "/api/v1/health", "/api/v1/alerts", "/api/v1/camera-table", "/api/v1/rules", "/api/v1/alerts/calendar", "/api/v1/cameras/good/history", "/api/v1/cameras/good/timeline"} {
		code, body := get(r.t, "http://"+r.console+page)
		if code >= http.StatusInternalServerError {
			r.t.Errorf("%s: %d %.300s", page, code, body)
		}
		actsOnNothing(r.t, page, body)
	}
}

// counts are the metrics in which stages count what they refuse. The console counts
// nothing, and says what it skips; calibrate leaves out what the others have named.
var counts = map[string]string{
	"alerts":  `frostwatch_dead_letters_total\{[^}]*stage="alerts"[^}]*\} [1-9]`,
	"ingest":  `frostwatch_dead_letters_total\{[^}]*stage="ingest"[^}]*\} [1-9]`,
	"notify":  `frostwatch_notify_unreadable_total\{[^}]*\} [1-9]`,
	"archive": `frostwatch_archive_records_dropped_total\{[^}]*reason="unusable"[^}]*\} [1-9]`,
}

// counted fails unless a stage says what it has refused.
func (r *hostile) counted(stage string) {
	r.t.Helper()
	if pattern, counts := counts[stage]; counts {
		await(r.t, stage+" to count what it has refused", time.Minute, func() bool {
			_, body := get(r.t, "http://"+r.http[stage]+"/metrics")
			return regexp.MustCompile(pattern).MatchString(body)
		})
	} else if log := r.stages[stage].output(); stage == "console" && !strings.Contains(log, "skipped") {
		r.t.Errorf("%s does not say what it refuses: %s", stage, log)
	}
}

// inMemory fails where a process has taken more memory than a stage may.
func inMemory(t *testing.T, stage string, p *process) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("%s: %s", stage, status)
	}
	kilobytes, _ := strconv.Atoi(string(m[1])) // digits
	t.Logf("%s took %d MB at most", stage, kilobytes>>10)
	if kilobytes>>10 > 768 {
		t.Errorf("%s took %d MB", stage, kilobytes>>10)
	}
}

// actsOnNothing fails where a text has anything that a terminal, or the text around it,
// acts on.
func actsOnNothing(t *testing.T, what, text string) {
	t.Helper()
	for at, c := range text {
		if c == '\n' || c == '\t' || c != utf8.RuneError && !unicode.IsControl(c) && !unicode.Is(unicode.Bidi_Control, c) || bytes.HasPrefix([]byte(text[at:]), []byte("\ufffd")) {
			continue
		}
		t.Errorf("%s has %U: %.300q", what, c, text[max(at-150, 0):])
		return
	}
}
