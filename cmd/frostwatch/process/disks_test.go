package process

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

func TestWorkersReportTheRoomOfStagesThatWrite(t *testing.T) {
	dir := t.TempDir()
	p := &Process{Config: config.Default(), onTrouble: func(string, string) {}}
	p.Config.Archive.Bucket, p.Config.Ingest.Packets.Dir = "s3://elsewhere", filepath.Join(dir, "packets")
	w := topics.Worker{Name: "w", Stages: map[string]topics.WorkerStage{"ingest": {Lag: 3}, "infer": {}, "archive": {}}}
	p.fillDisks(&w)
	if s := w.Stages["ingest"]; s.Size <= 0 || s.Free <= 0 || s.Free > s.Size || s.Lag != 3 {
		t.Errorf("ingest: %+v", s)
	}
	for _, none := range []string{"infer", "archive"} {
		if s := w.Stages[none]; s.Size != 0 {
			t.Errorf("%s writes to no disk of this machine: %+v", none, s)
		}
	}
	p.Config.Archive.Bucket = "file://" + dir
	if p.fillDisks(&w); w.Stages["archive"].Size <= 0 {
		t.Errorf("a folder that is written as a URL: %+v", w.Stages["archive"])
	}
	if _, err := topics.EncodeWorker(w); err != nil {
		t.Error(err)
	}
}

// The disks of folders that this process writes to are measured, and of no others.
func TestDisksAreMeasured(t *testing.T) {
	cfg := config.Default()
	cfg.Kafka.Brokers = []string{"127.0.0.1:1"}
	cfg.Archive.Bucket, cfg.Ingest.Packets.Dir = "file://"+t.TempDir(), t.TempDir()
	r := openRig(t, cfg)
	defer func() { _ = r.Close(context.Background()) }()
	r.stages, r.data = []string{"archive", "infer"}, t.TempDir()
	w := httptest.NewRecorder()
	r.tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for holds, want := range map[string]bool{"archive": true, "data": true, "packets": false} {
		for _, name := range []string{"free", "size"} {
			line := fmt.Sprintf("frostwatch_disk_%s_bytes{holds=%q} ", name, holds)
			if strings.Contains(w.Body.String(), line) != want {
				t.Errorf("that there is a line %s is not %t:\n%s", line, want, w.Body.String())
			}
		}
	}
}
