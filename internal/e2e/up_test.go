package e2e

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/topics"
)

// ownConfig is the demo's configuration, and allows cameras on this machine to be added.
func ownConfig() string { return "ingest: {allow: [127.0.0.1]}\n" + string(demo.Config()) }

// `up` as a user meets it: look, edit, break things, stop, start again.
func TestUp(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "pipeline.yaml"), []byte(ownConfig()), 0o644); err != nil {
		t.Fatal(err)
	}
	p, at := up(t, data)
	await(t, "the first recognitions", time.Minute, func() bool { rs, _ := kcatActions(t, at.Kafka); return len(rs) > 0 })

	watching := startPrometheus(t, at)
	t.Run("health and metrics", func(t *testing.T) { healthAndMetrics(t, at) })
	t.Run("nothing listens to the network", func(t *testing.T) {
		if n := listensOnLoopback(t, "up", p.cmd.Process.Pid); n < 5 { // broker, Redis, cameras, HTTP, console
			t.Errorf("it listens at %d addresses, or can't be looked at", n)
		}
	})
	t.Run("ffprobe reads the simulator", func(t *testing.T) { ffprobeReads(t, at) })
	t.Run("redis-server is started again", func(t *testing.T) { killRedis(t, at) })
	t.Run("the console shows the cameras", func(t *testing.T) { consoleShows(t, data, at) })
	t.Run("an agent looks at a camera", func(t *testing.T) { agentLooks(t, data) })
	t.Run("the console shows a camera's past", func(t *testing.T) { timelineShows(t, at) })
	t.Run("the console edits cameras", func(t *testing.T) { consoleEdits(t, data, at) })
	t.Run("words are watched for in the console", func(t *testing.T) { wordsAreWatchedFor(t, data, at) })
	t.Run("rules are edited on the console", func(t *testing.T) { rulesAreEdited(t, data, at) })
	t.Run("redis-cli edits the vocabulary", func(t *testing.T) { editVocabulary(t, data, at) })
	t.Run("words that are typed raise an alert", func(t *testing.T) { watchWords(t, data, at) })
	t.Run("others subscribe", func(t *testing.T) { othersSubscribe(t, at) })
	t.Run("an alert has a film", func(t *testing.T) { film(t, data, at) })
	t.Run("Prometheus watches", func(t *testing.T) { prometheusWatches(t, watching, at) })
	t.Run("unreadable records go to dead-letter", func(t *testing.T) { deadLetters(t, at) })
	t.Run("rules are reloaded", func(t *testing.T) { reloadRules(t, data, at) })
	t.Run("cameras of the file are reloaded", func(t *testing.T) { reloadCameras(t, data, p, at) })
	t.Run("bad cameras disturb no other", func(t *testing.T) { badCameras(t, data, at) })
	t.Run("people log in", func(t *testing.T) { people(t, data, at) })

	p.stop(t)
	if c, err := net.DialTimeout("tcp", at.Redis, time.Second); err == nil {
		_ = c.Close()
		t.Error("redis-server outlived frostwatch")
	}
	t.Run("a restart goes on", func(t *testing.T) { restart(t, data) })
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func healthAndMetrics(t *testing.T, at addresses) {
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": `"ready": true`, "/metrics": "frostwatch_infer_clips_total",
	} {
		if code, body := get(t, "http://"+at.HTTP+path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %.300s", path, code, body)
		}
	}
}

func ffprobeReads(t *testing.T, at addresses) {
	need(t, "ffprobe")
	out, err := exec.Command("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width,height",
		"-of", "csv=p=0", "rtsp://"+at.RTSP+"/corridor_fall").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "h264,640,360") {
		t.Errorf("%v: %s", err, out)
	}
}

// killRedis kills `up`'s own redis-server, as the system does when memory is short.
func killRedis(t *testing.T, at addresses) {
	labels := redisCLI(t, at, "HLEN", "frostwatch:vocab:default")
	pid := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(redisCLI(t, at, "INFO", "server"))
	if pid == nil {
		t.Fatal("no process_id")
	}
	if out, err := exec.Command("kill", "-KILL", pid[1]).CombinedOutput(); err != nil {
		t.Fatalf("kill: %v: %s", err, out)
	}
	await(t, "the warning", 20*time.Second, func() bool {
		code, body := get(t, "http://"+at.HTTP+"/readyz")
		return code == http.StatusOK && strings.Contains(body, "redis-server had ended unexpectedly and was started again")
	})
	if now := redisCLI(t, at, "HLEN", "frostwatch:vocab:default"); now != labels {
		t.Errorf("%s labels after the restart, %s before", now, labels)
	}
}

// effect is how soon an edit must take effect.
const effect = time.Second

func editVocabulary(t *testing.T, data string, at addresses) {
	version := func() string {
		rs, _ := kcatActions(t, at.Kafka)
		return rs[len(rs)-1].Vocab.Version
	}
	edit := func(args ...string) time.Time {
		old := version()
		redisCLI(t, at, args...)
		edited := time.Now()
		await(t, "a recognition by the new vocabulary", 20*time.Second, func() bool { return version() != old })
		rs, when := kcatActions(t, at.Kafka)
		for i, r := range rs {
			if r.Vocab.Version == old && when[i].After(edited.Add(effect)) {
				t.Errorf("%v after the edit a clip was scored by the old vocabulary", when[i].Sub(edited))
			}
		}
		return edited
	}
	edited := edit("HSET", "frostwatch:vocab:default", "sweeping the floor", "")
	rs, when := kcatActions(t, at.Kafka)
	found := false
	for i, r := range rs {
		for _, l := range r.Labels {
			if l.Label == "sweeping the floor" {
				found = true
				if !l.Novel || l.NearestBase == "" {
					t.Errorf("%+v: the demo model was not trained on it", l)
				}
				if when[i].Before(edited.Add(-time.Second)) {
					t.Error("scored before it was added")
				}
			}
		}
	}
	if !found {
		t.Error("the new label is on no recognition")
	}
	edit("HSET", "frostwatch:vocab:default", "broken one", `{"threshold": 7}`)
	out, err := frostwatch(t, "vocab", "ls", "--data", data)
	if err != nil || !strings.Contains(out, "10 labels") || !strings.Contains(out, `skipped: label "broken one": threshold 7`) {
		t.Errorf("%v: %s", err, out)
	}
	edit("HDEL", "frostwatch:vocab:default", "broken one", "sweeping the floor")
}

// The README's first example: what one camera of the demo shows raises an alert there
// within a minute, and on no other camera.
func watchWords(t *testing.T, data string, at addresses) {
	const label, rule = "person sitting on a chair", "person-sitting-on-a-chair"
	out, err := frostwatch(t, "watch", label, "--data", data)
	if err != nil || !strings.Contains(out, "rule "+rule+" added") || !strings.Contains(out, "watches all 10 cameras") || !strings.Contains(out, "in force: ") {
		t.Fatalf("%v: %s", err, out)
	}
	of := func(state topics.AlertState) (cameras []string) {
		all, _ := kcatAlerts(t, at.Kafka)
		for _, a := range all {
			if a.Rule == rule && a.State == state {
				cameras = append(cameras, a.Camera)
			}
		}
		return cameras
	}
	await(t, "the alert", time.Minute, func() bool { return len(of(topics.AlertRaised)) > 0 })
	await(t, "every camera to be looked at by the new words for a loop of its film", 2*time.Minute, func() bool {
		seen := map[string]int{}
		rs, _ := kcatActions(t, at.Kafka)
		for _, r := range rs {
			if slices.ContainsFunc(r.Labels, func(l topics.LabelScore) bool { return l.Label == label }) {
				seen[r.Camera]++
			}
		}
		enough := 0
		for _, n := range seen {
			if n >= 12 { // clips of 30 s, the longest film
				enough++
			}
		}
		return enough == 10
	})
	if got := of(topics.AlertRaised); len(got) != 1 || got[0] != "office_sit" {
		t.Errorf("raised on %q, want office_sit once", got)
	}
	out, err = frostwatch(t, "watch", "--undo", rule, "--data", data)
	if err != nil || !strings.Contains(out, "label \""+label+"\" removed") {
		t.Errorf("%v: %s", err, out)
	}
	await(t, "the clear", 20*time.Second, func() bool { return len(of(topics.AlertCleared)) == 1 })
}

func deadLetters(t *testing.T, at addresses) {
	produce(t, at.Kafka, "frostwatch.clips", "lobby", "not a clip")
	produce(t, at.Kafka, "frostwatch.actions", "lobby", `{"not":"an event"}`)
	produce(t, at.Kafka, "frostwatch.cameras", "lobby", `{"name":"lobby"}`)
	await(t, "three dead letters", 20*time.Second, func() bool { return len(kcat(t, at.Kafka, "frostwatch.dead-letter")) >= 3 })
	for _, r := range kcat(t, at.Kafka, "frostwatch.dead-letter") {
		if r.Key != "lobby" || !strings.Contains(r.Headers, topics.HeaderReason+"=") || !strings.Contains(r.Headers, topics.HeaderTopic+"=frostwatch.") {
			t.Errorf("dead letter %q with headers %s", r.Value, r.Headers)
		}
	}
}

func reloadRules(t *testing.T, data string, at addresses) {
	file := filepath.Join(data, "pipeline.yaml")
	raised := func(rule string) int {
		n := 0
		alerts, _ := kcatAlerts(t, at.Kafka)
		for _, a := range alerts {
			if a.Rule == rule && a.State == topics.AlertRaised {
				n++
			}
		}
		return n
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rule := "  - {name: stroll, actions: [walking], score: {raise: 0.5, clear: 0.3}, severity: info}\n"
	write(ownConfig() + rule)
	await(t, "an alert by the new rule", time.Minute, func() bool { return raised("stroll") > 0 })
	// A mistake leaves the rules in force as they are: the new one goes on.
	before := raised("stroll")
	write(ownConfig() + rule + "  - {name: fall, clips: 9 of 2}\n")
	await(t, "another alert by the rule in force", time.Minute, func() bool { return raised("stroll") > before })
	write(ownConfig())
}

// reloadCameras adds a camera to the file and takes it away again; the demo's go
// on.
func reloadCameras(t *testing.T, data string, p *process, at addresses) {
	file := filepath.Join(data, "pipeline.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	line := func(words ...string) func() bool {
		return func() bool {
			return strings.Contains(strings.Join(strings.Fields(p.output()), " "), strings.Join(words, " "))
		}
	}
	write("cameras: [{name: again, url: \"rtsp://" + at.RTSP + "/corridor_fall\"}]\n" + ownConfig())
	await(t, "the edit to be confirmed", 20*time.Second, line("camera", "again", "added", "rtsp://"+at.RTSP+"/corridor_fall"))
	await(t, "the added camera to stream", 20*time.Second, line("camera", "again", "streaming"))
	await(t, "a word on the demo's cameras", 20*time.Second, line("the demo's cameras go on until the next start"))
	write(ownConfig())
	await(t, "the removal to be confirmed", 20*time.Second, line("camera", "again", "removed"))
	list, err := frostwatch(t, "camera", "ls", "--data", data)
	if err != nil || strings.Contains(list, "again") || strings.Count(list, "streaming") != 10 {
		t.Errorf("%v:\n%s", err, list)
	}
}

func badCameras(t *testing.T, data string, at addresses) {
	garbage := garbageServer(t)
	for name, url := range map[string]string{
		"nobody":  "rtsp://viewer:hunter2@127.0.0.1:1/stream",
		"garbage": "rtsp://" + garbage + "/stream",
		"missing": "rtsp://" + at.RTSP + "/no-such-camera",
	} {
		if out, err := frostwatch(t, "camera", "add", name, url, "--data", data); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := frostwatch(t, "camera", "add", "gopher", "gopher://127.0.0.1/", "--data", data); err == nil || !strings.Contains(out, "want rtsp://host/path") {
		t.Errorf("a camera that can't be is added: %v, %s", err, out)
	}
	var list string
	await(t, "a reason for each", 40*time.Second, func() bool {
		list, _ = frostwatch(t, "camera", "ls", "--data", data)
		return strings.Contains(list, "refused") && strings.Contains(list, "no stream at this path") && reasonOf(list, "garbage") != ""
	})
	if strings.Contains(list, "hunter2") {
		t.Errorf("a password is shown:\n%s", list)
	}
	if n := strings.Count(list, "streaming"); n != 10 {
		t.Errorf("%d cameras stream beside the bad ones, want 10:\n%s", n, list)
	}
	if out, err := frostwatch(t, "camera", "rm", "nobody", "garbage", "missing", "--data", data); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "their removal", 20*time.Second, func() bool {
		list, _ = frostwatch(t, "camera", "ls", "--data", data)
		return !strings.Contains(list, "garbage") && !strings.Contains(list, "nobody")
	})
}

// reasonOf is the last column of `camera ls` for a camera that waits.
func reasonOf(list, name string) string {
	header, _, _ := strings.Cut(list, "\n")
	column := strings.Index(header, "REASON")
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == name && f[1] == "waiting" && len(line) > column {
			return strings.TrimSpace(line[column:])
		}
	}
	return ""
}

// garbageServer answers everything with noise.
func garbageServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(strings.Repeat("\x00\xffnoise", 1000)))
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func restart(t *testing.T, data string) {
	p, at := up(t, data)
	before, _ := kcatAlerts(t, at.Kafka)
	if len(before) == 0 {
		t.Fatal("the alerts of the first run are gone")
	}
	await(t, "alerts of the second run", time.Minute, func() bool { now, _ := kcatAlerts(t, at.Kafka); return len(now) > len(before)+3 })
	alerts, _ := kcatAlerts(t, at.Kafka)
	seen := map[string]bool{}
	for _, a := range alerts {
		if seen[a.EventID()] {
			t.Errorf("%s was published twice", a.EventID())
		}
		seen[a.EventID()] = true
	}
	p.stop(t)
}
