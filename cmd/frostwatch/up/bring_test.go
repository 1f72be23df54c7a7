package up

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// openOn opens a process on an embedded broker, as `up` does.
func openOn(t *testing.T, cfg config.Config) *process.Process {
	t.Helper()
	cfg.Kafka = cfg.Kafka.At(kafkatest.StartEmbedded(t).Addr())
	cfg.Kafka.Partitions = 2
	pr, err := process.Open(t.Context(), process.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler), Service: "test", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pr.Close(context.Background()) })
	return pr
}

// The cameras of an earlier `up` are gone before any stage of the next one runs.
func TestCamerasOfAnEarlierUpAreGoneBeforeStagesRun(t *testing.T) {
	pr := openOn(t, config.Default())
	for _, names := range []string{"a b", "b c"} {
		u := &up{Options: Options{Out: io.Discard, Data: t.TempDir()}}
		for _, name := range strings.Fields(names) {
			u.cameras = append(u.cameras, topics.Camera{Name: name, URL: "rtsp://10.0.0.7/" + name})
		}
		if err := u.bringCameras(t.Context(), pr); err != nil {
			t.Fatal(err)
		}
	}
	table, err := pr.Cameras()
	if err != nil {
		t.Fatal(err)
	}
	all, err := table.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Name != "b" || all[1].Name != "c" || all[0].Source != topics.SourceUp {
		t.Errorf("on the table: %+v", all)
	}
}
