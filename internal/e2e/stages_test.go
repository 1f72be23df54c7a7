package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// Each stage runs as a process of its own, with a Kafka and a Redis that start later
// than the stages or are restarted.
func TestStagesAlone(t *testing.T) {
	t.Parallel()
	need(t, "redis-server", "redis-cli", "kcat")
	kafka := kafkatest.StartKafka(t)
	rig := newStages(t, kafka.Addr())
	http := rig.http
	stages := []*process{rig.run(t, "alerts"), rig.run(t, "infer"), rig.run(t, "ingest")}

	await(t, "infer to say what it waits for", 30*time.Second, func() bool {
		code, body := get(t, "http://"+http["infer"]+"/readyz")
		return code == 503 && strings.Contains(body, "vocabulary")
	})
	rig.startRedis(t)
	rig.awaitReady(t)
	raised := func() int {
		n := 0
		alerts, _ := kcatAlerts(t, kafka.Addr())
		for _, a := range alerts {
			if a.Rule == "fall" && a.State == topics.AlertRaised {
				n++
			}
		}
		return n
	}
	await(t, "the fall", 2*time.Minute, func() bool { return raised() > 0 })
	for stage, metric := range map[string]string{"ingest": "frostwatch_ingest_stream_state", "infer": "frostwatch_infer_clips", "alerts": "frostwatch_alerts_published"} {
		if _, body := get(t, "http://"+http[stage]+"/metrics"); !strings.Contains(body, metric) {
			t.Errorf("%s has no metric %s", stage, metric)
		}
		metricsAreAsListed(t, http[stage])
	}
	if len(kcat(t, kafka.Addr(), "frostwatch.evidence")) == 0 {
		t.Error("no evidence was kept")
	}
	before := raised()
	kafka.Restart(t)
	await(t, "a fall after Kafka's restart", 2*time.Minute, func() bool { return raised() > before })
	for i := len(stages) - 1; i >= 0; i-- {
		stages[i].stop(t)
	}
}

// stageRig is what stages need that run as processes of their own.
type stageRig struct {
	dir, redis, bundle, camera string
	servers                    string            // the sections kafka and redis of the configuration
	http                       map[string]string // addresses by stage
}

func newStages(t *testing.T, kafka string) *stageRig {
	t.Helper()
	r := &stageRig{dir: t.TempDir(), redis: freeAddress(t), http: map[string]string{}}
	r.servers = fmt.Sprintf("kafka: {brokers: [%q], partitions: 3}\nredis: {address: %q}\n", kafka, r.redis)
	r.bundle = filepath.Join(r.dir, "bundle")
	data := filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data")
	if out, err := frostwatch(t, "model", "import", filepath.Join(data, "frost-mini.pth"), "--card", filepath.Join(data, "frost-mini.json"), "--out", r.bundle); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sim := start(t, "camsim", "--listen", "127.0.0.1:0", "--on-demand", filepath.Join(data, "corridor_fall.mp4"))
	await(t, "the simulator", time.Minute, func() bool { return strings.Contains(sim.output(), "rtsp://") })
	r.camera = strings.TrimSpace(sim.output())
	return r
}

// run starts a stage and waits until it serves.
func (r *stageRig) run(t *testing.T, stage string) *process {
	t.Helper()
	r.http[stage] = freeAddress(t)
	file := filepath.Join(r.dir, stage+".yaml")
	text := r.servers + fmt.Sprintf(stageConfig, r.http[stage], r.bundle, r.camera)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, stage, "--config", file)
	await(t, stage+" to serve", 30*time.Second, func() bool {
		c, err := net.Dial("tcp", r.http[stage])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return p
}

// startRedis starts a Redis with a vocabulary.
func (r *stageRig) startRedis(t *testing.T) {
	t.Helper()
	runRedis(t, r.redis)
	for _, label := range demoLabels {
		redisCLI(t, addresses{Redis: r.redis}, "HSET", "frostwatch:vocab:default", label, "")
	}
}

// demoLabels are a vocabulary by which the demo model recognises the fall.
var demoLabels = []string{"falling down", "walking", "standing still", "lying on the floor", "an empty scene with nobody"}

func (r *stageRig) ready(t *testing.T, stage string) bool {
	code, _ := get(t, "http://"+r.http[stage]+"/readyz")
	return code == 200
}

func (r *stageRig) awaitReady(t *testing.T) {
	t.Helper()
	for stage := range r.http {
		await(t, stage+" to be ready", time.Minute, func() bool { return r.ready(t, stage) })
	}
}

const stageConfig = `
http: {listen: "%s"}
framer: {short_side: 112}
infer: {bundle: "%s"}
cameras:
  - {name: corridor, url: "%s", tags: [indoor]}
rules:
  - {name: fall, cameras: ["corr*"], actions: ["falling down"], score: {raise: 0.7, clear: 0.4}, severity: critical}
`

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func runRedis(t testing.TB, address string) {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	await(t, "redis", 20*time.Second, func() bool {
		return exec.Command("redis-cli", "-p", port, "PING").Run() == nil
	})
}
