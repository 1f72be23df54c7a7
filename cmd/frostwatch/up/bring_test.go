package up

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/console/cameraedit"
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

// The banner counts what is watched: what a person has removed stays removed.
func TestTheBannerDoesNotCountWhatPeopleHaveRemoved(t *testing.T) {
	file := config.Camera{Name: "f", URL: "rtsp://10.0.0.7/f"}
	removed := config.Camera{Name: "g", URL: "rtsp://10.0.0.7/g"}
	cfg := config.Default()
	cfg.Cameras = []config.Camera{file, removed}
	pr := openOn(t, cfg)
	u := &up{Options: Options{Out: io.Discard, Data: t.TempDir()}, cfg: cfg}
	u.at.Config = "/etc/p.yaml"
	for _, name := range []string{"a", "b", "c"} {
		u.cameras = append(u.cameras, topics.Camera{Name: name, URL: "rtsp://10.0.0.7/" + name})
	}
	table, err := pr.Cameras()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.bringCameras(t.Context(), pr); err != nil {
		t.Fatal(err)
	}
	if _, err := pr.SyncCameras(t.Context(), cameras.Owner{Source: topics.SourceFile, ID: u.at.Config}, cameraedit.OfFile(cfg)); err != nil {
		t.Fatal(err)
	}
	own := topics.Camera{Name: "own", URL: "rtsp://10.0.0.7/own", Source: topics.SourcePerson}
	b := topics.Camera{Name: "b", URL: "rtsp://10.0.0.7/other", Source: topics.SourcePerson} // is watched
	if err := errors.Join(table.Remove(t.Context(), "a"), table.Remove(t.Context(), "g"), table.Put(t.Context(), own), table.Put(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	// The next start.
	cfg.Cameras = append(cfg.Cameras, config.Camera{Name: "new", URL: "rtsp://10.0.0.7/new"})
	u.cfg = cfg
	if err := u.bringCameras(t.Context(), pr); err != nil {
		t.Fatal(err)
	}
	people, err := u.edits(t.Context(), pr)
	if want := (edited{added: 1, ownRemoved: 1, fileRemoved: 1}); err != nil || people != want {
		t.Errorf("got %+v, %v, want %+v", people, err, want)
	}
}
