package up

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
)

// `config show` of a running `up`: an edit of a key that needs a start is not in force, and is
// said to wait; what `up` has chosen itself stays; keys that are followed are as in the file.
func TestEditsAfterTheStartWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.yaml")
	open := func(text string) config.File {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := config.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := open("framer: {queue: 9}\nkafka: {partitions: 3}\n")
	running := f.Config
	running.Kafka.Brokers = []string{"127.0.0.1:1"}
	running.Infer.Bundle = "data/models/frost-mini"
	running.Archive.Retention.Size, running.Archive.Bucket, running.Ingest.Packets.Total = 4e9, "data/archive", 2e9
	e := Endpoints{Settings: f.InForce(running), Live: []string{"cameras", "infer.bundle"}}
	now := open("framer: {queue: 10}\nkafka: {partitions: 3, brokers: ['k:1']}\narchive: {retention: {size: 6GB}}\ningest: {packets: {total: 2GB}}\ncameras: [{name: door, url: 'rtsp://u:hunter2@h/s'}]\n")
	got := map[string]config.Setting{}
	for _, s := range e.InForce(now) {
		got[s.Key] = s
	}
	for key, want := range map[string][2]string{
		"framer.queue":     {"9", "the file as it was at the start; 10 from the next start on"},
		"kafka.partitions": {"3", path + ":2"},
		"kafka.brokers":    {"[127.0.0.1:1]", config.FromUp},
		"infer.bundle":     {`"data/models/frost-mini"`, config.FromUp},
		"cameras":          {"1: door", path + ":5"},

		"archive.retention.size": {"4GB", "frostwatch up; 6GB from the next start on"},
		"archive.bucket":         {`"data/archive"`, config.FromUp},
		"ingest.packets.total":   {"2GB", config.FromUp},
	} {
		if s := got[key]; s.Value != want[0] || s.From != want[1] {
			t.Errorf("%s: %+v, want %v", key, s, want)
		}
	}
}
