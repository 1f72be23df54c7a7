package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// `up` with a configuration file elsewhere that has its own names and Redis database:
// commands edit what it watches, and status shows its fleet.
func TestCommandsFindWhatUpWatches(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "other.yaml")
	text := "kafka: {prefix: site.}\nredis: {database: 1, prefix: \"site:\"}\nvocab: {name: night}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, at := up(t, data, "--config", file)
	ok := func(args ...string) string {
		t.Helper()
		out, err := frostwatch(t, append(args, "--data", data)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	ok("vocab", "add", "waving")
	if redisCLI(t, at, "HEXISTS", "site:vocab:night", "waving") != "1" {
		t.Error("the label is not in the vocabulary that up watches")
	}
	await(t, "the edit to be confirmed", 20*time.Second, func() bool { return strings.Contains(p.output(), `label "waving" added`) })
	ok("camera", "add", "nobody", "rtsp://viewer:hunter2@127.0.0.1:1/stream")

	var f struct {
		Workers []struct {
			Alive  bool                `json:"alive"`
			Stages map[string]struct{} `json:"stages"`
		} `json:"workers"`
		Cameras []struct {
			Name, Camera, State, Reason string
		} `json:"cameras"`
	}
	await(t, "status to show all cameras", time.Minute, func() bool {
		if err := json.Unmarshal([]byte(ok("status", "--json")), &f); err != nil {
			t.Fatal(err)
		}
		streaming := 0
		for _, c := range f.Cameras {
			if c.State == "streaming" {
				streaming++
			}
		}
		return streaming == 10 && len(f.Cameras) == 11
	})
	if len(f.Workers) != 1 || !f.Workers[0].Alive {
		t.Fatalf("workers %+v", f.Workers)
	}
	for _, stage := range []string{"ingest", "infer", "alerts"} {
		if _, has := f.Workers[0].Stages[stage]; !has {
			t.Errorf("%s is not among the worker's stages", stage)
		}
	}
	await(t, "status to say what is wrong", time.Minute, func() bool { return strings.Contains(ok("status"), "- camera nobody: stopped: 127.0.0.1") })
	if out := ok("status"); strings.Contains(out, "hunter2") || !strings.Contains(out, "WORKER") {
		t.Errorf("status:\n%s", out)
	}
	p.stop(t)
	if out, err := frostwatch(t, "status", "--data", data); err == nil || !strings.Contains(out, "nothing runs here (looked in "+data+")") {
		t.Errorf("%v after the end: %s", err, out)
	}
}
