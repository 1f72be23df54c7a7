package check

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What a release makes of its values is a configuration with which the stages start.
func TestTheProgramTakesTheConfiguration(t *testing.T) {
	for name, values := range releases {
		path, text := configOf(t, values)
		if out, err := frostwatch(t, "config", "check", path); err != nil {
			t.Errorf("%s: %v: %s\n%s", name, err, out, text)
		}
	}
	_, text := configOf(t, everything)
	for _, want := range []string{"${DOOR_PASSWORD}", "${KAFKA_PASSWORD}", "bundle: /models/froster-b16", "provider: cuda", "mode: proxy"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// What `init kubernetes` writes is all that the chart needs.
func TestInitWritesValues(t *testing.T) {
	dir := t.TempDir()
	out, err := frostwatch(t, "init", "kubernetes", "--out", dir, "--image", "registry.example.com/frostwatch", "--kafka", "k-1:9092,k-2:9092,k-3:9092", "--redis", "r:6379",
		"--bundle", "froster-b16", "--camera", "door=rtsp://viewer:${DOOR_PASSWORD}@10.0.0.7/stream1", "--watch", "person falling down")
	if err != nil || !strings.Contains(out, "--from-literal=DOOR_PASSWORD=") {
		t.Fatalf("%v: %s", err, out)
	}
	values, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range render(t, string(values)) {
		if err := strict(t, o); err != nil {
			t.Errorf("%s %s: %v", o.kind, o.name, err)
		}
	}
	path, text := configOf(t, string(values))
	if out, err := frostwatch(t, "config", "check", path); err != nil || !strings.Contains(text, "person-falling-down") || !strings.Contains(text, "k-3:9092") {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
}

// Each stage answers the probes of its pod, and ends before Kubernetes would kill it.
func TestStagesKeepTheirProbesAndGracePeriods(t *testing.T) {
	// Nothing listens there: a stage has to run, and not be ready, while Kafka is away.
	values := fmt.Sprintf(`config: {kafka: {brokers: ["127.0.0.1:1"]}, redis: {address: "127.0.0.1:1"}, console: {listen: "127.0.0.1:0"}, archive: {bucket: %q}, ingest: {record: none}}`, t.TempDir())
	path, text := configOf(t, values)
	all := deployments(t, values)
	if len(all) != len(stages) {
		t.Fatalf("%d stages", len(all))
	}
	if _, runs := deployments(t, "")["archive"]; runs {
		t.Error("archive runs without a bucket, with which it does not start")
	}
	for stage, d := range all {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			pod := d.Spec.Template.Spec
			c := pod.Containers[0]
			if c.Ports[0].Name != "http" || !strings.Contains(text, fmt.Sprintf("listen: 0.0.0.0:%d\n", c.Ports[0].ContainerPort)) {
				t.Errorf("the probes ask port %+v, and the configuration says\n%s", c.Ports[0], text)
			}
			args := append([]string{}, c.Args...)
			for i, a := range args {
				if a == "/etc/frostwatch/frostwatch.yaml" {
					args[i] = path
				}
			}
			cmd, address := startStage(t, append(args, "--http", "127.0.0.1:0")...)
			for _, p := range []struct {
				probe *corev1.Probe
				want  int
			}{{c.StartupProbe, 200}, {c.LivenessProbe, 200}, {c.ReadinessProbe, 503}} {
				if got := ask(t, address, p.probe); got != p.want {
					t.Errorf("%s answers %d while Kafka is away, want %d", p.probe.HTTPGet.Path, got, p.want)
				}
			}
			begun := time.Now()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("ended with %v", err)
			}
			if took, grace := time.Since(begun), time.Duration(*pod.TerminationGracePeriodSeconds)*time.Second; took > grace {
				t.Errorf("took %v to end, and has %v", took, grace)
			}
		})
	}
}

func startStage(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir = filepath.Dir(binary(t)) // ONNX Runtime is found in .native there
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(log)
	var seen strings.Builder
	for lines.Scan() {
		seen.WriteString(lines.Text() + "\n")
		var line struct{ Msg, HTTP string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "started" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return cmd, line.HTTP
		}
	}
	t.Fatalf("it did not start:\n%s", &seen)
	return nil, ""
}

func ask(t *testing.T, address string, p *corev1.Probe) int {
	t.Helper()
	client := http.Client{Timeout: time.Duration(p.TimeoutSeconds) * time.Second}
	a, err := client.Get("http://" + address + p.HTTPGet.Path)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	return a.StatusCode
}
