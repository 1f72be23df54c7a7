package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const chartDir = "../helm/frostwatch"

// everything is a release with all that the chart can do switched on.
const everything = `
image: {repository: registry.example.com/frostwatch, tag: v1.2.3}
imagePullSecrets: [{name: registry}]
config:
  kafka:
    brokers: ["kafka-1.kafka:9093", "kafka-2.kafka:9094"]
    prefix: "north."
    partitions: 24
    tls: {enabled: true, ca: /run/secrets/kafka/ca.crt}
    sasl: {mechanism: SCRAM-SHA-512, username: frostwatch, password: "${KAFKA_PASSWORD}"}
  redis: {address: "redis.redis:6380", password: "${REDIS_PASSWORD}"}
  archive: {bucket: "s3://past?region=eu-central-1"}
  telemetry: {otlp_endpoint: "http://otel.monitoring:4317"}
  console:
    users: [{name: anna, role: admin, password: "${ANNA_HASH}"}]
  notify:
    receivers: [{name: ops, webhook: {url: "https://hooks.example.com/${TOKEN}"}}]
cameras:
  - {name: door, url: "rtsp://viewer:${DOOR_PASSWORD}@10.0.0.7/stream1", tags: [indoor]}
rules:
  - {name: night, actions: ["person falling down"], false_alarms: 1 per week, clips: 2 of 3, schedule: {days: mon-sun, from: "00:00", to: "06:30", timezone: Europe/Berlin}}
secrets:
  env: [frostwatch-env]
  cameras: [frostwatch-cameras]
  files: [{secret: kafka-tls, path: /run/secrets/kafka}]
model:
  bundle: froster-b16
  volume: {persistentVolumeClaim: {claimName: models, readOnly: true}}
console:
  expose: true
  host: cams.example.com
  proxies: ["10.42.0.0/16"]
  ingress: {className: nginx, tlsSecret: cams-tls, annotations: {cert-manager.io/cluster-issuer: main}}
stages:
  ingest: {replicas: 3, resources: {limits: {memory: 2Gi}}, nodeSelector: {zone: cameras}}
  infer:
    gpu: {enabled: true, runtimeClassName: nvidia, nodeSelector: {nvidia.com/gpu.present: "true"}}
    autoscaling: {enabled: true, min: 2}
  alerts: {autoscaling: {enabled: true}, podAnnotations: {team: night}, podLabels: {team: night}, env: [{name: TZ, value: UTC}]}
  archive: {autoscaling: {enabled: true, max: 6}, priorityClassName: low}
keda: {authSecret: keda-kafka, authKeys: [username, password, ca]}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/past"}}
networkPolicy: {extraEgress: {notify: [{ports: [{port: 1883}]}]}}
`

// folders is a release that keeps its past in a volume.
const folders = `
archiveVolume: {persistentVolumeClaim: {claimName: past}}
networkPolicy: {enabled: false}
podDisruptionBudget: {enabled: false}
stages: {calibrate: {enabled: false}}
`

// object is a rendered manifest.
type object struct {
	kind, name string
	raw        []byte // JSON
}

// renderErr is what `helm template` does with values.
func renderErr(values string) (all []object, notes string, err error) {
	c, err := loader.Load(chartDir)
	if err != nil {
		return nil, "", err
	}
	v, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, "", err
	}
	top, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "fw", Namespace: "video", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, "", err
	}
	files, err := engine.Render(c, top)
	if err != nil {
		return nil, "", err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			notes = files[name]
			continue
		}
		found, err := objects(files[name])
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, found...)
	}
	return all, notes, nil
}

func objects(text string) (all []object, err error) {
	for r := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))); ; {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		raw, err := yaml.YAMLToJSONStrict(doc) // refuses a key that stands twice
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, doc)
		}
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(raw, &head); err != nil {
			return nil, err
		}
		if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
			continue
		}
		all = append(all, object{head.Kind, head.Metadata.Name, raw})
	}
}

func render(t *testing.T, values string) []object {
	t.Helper()
	all, _, err := renderErr(values)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// of are the objects of a kind, decoded, by the name of their stage or else their own.
func of[T any](t *testing.T, all []object, kind string) map[string]T {
	t.Helper()
	out := map[string]T{}
	for _, o := range all {
		if o.kind != kind {
			continue
		}
		var v T
		if err := yaml.Unmarshal(o.raw, &v); err != nil {
			t.Fatalf("%s %s: %v", o.kind, o.name, err)
		}
		out[strings.TrimPrefix(o.name, "fw-frostwatch-")] = v
	}
	return out
}

func deployments(t *testing.T, values string) map[string]appsv1.Deployment {
	t.Helper()
	return of[appsv1.Deployment](t, render(t, values), "Deployment")
}

// configOf is the configuration file of a release, on disk.
func configOf(t *testing.T, values string) (path, text string) {
	t.Helper()
	for _, o := range render(t, values) {
		if o.kind == "ConfigMap" {
			var m struct{ Data map[string]string }
			if err := yaml.Unmarshal(o.raw, &m); err != nil {
				t.Fatal(err)
			}
			text = m.Data["frostwatch.yaml"]
		}
	}
	path = filepath.Join(t.TempDir(), "frostwatch.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, text
}

// binary is the built program.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("FROSTWATCH")
	if path == "" {
		path = "../../frostwatch"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: `make build` makes it", err)
	}
	return path
}

func frostwatch(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env = append(os.Environ(), "KAFKA_PASSWORD=x", "REDIS_PASSWORD=x", "TOKEN=x", "DOOR_PASSWORD=x", "ANNA_HASH="+someHash)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const someHash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func shell(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("sh", "-euc", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
