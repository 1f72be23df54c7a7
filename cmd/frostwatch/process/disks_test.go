package process

import (
	"path/filepath"
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
