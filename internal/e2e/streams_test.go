package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

const streamsConfig = `
kafka: {brokers: ["%s"], partitions: 1}
http: {listen: "%s"}
framer: {window: 1s, short_side: 32}
ingest: {backoff: {min: 100ms, max: 500ms}}
rules:
  - {name: away, cameras: [gone], stream: offline for 10s}
  - {name: stuck, cameras: [hung], stream: frozen for 10s}
  - {name: lens, cameras: [covered, turned, blurred], stream: {covered: 10s, moved: 10s, defocused: 10s}}
cameras:
`

// Each thing that can be wrong with a stream is wrong with a simulated camera: an alert
// is raised, and cleared once all is well again.
func TestStreamsRaiseAlerts(t *testing.T) {
	t.Parallel() // it mostly waits
	need(t, "ffmpeg", "kcat")
	sim := newStreams(t, map[string]string{
		"gone": "null", "hung": "noise=alls=2:allf=t",
		"covered": "drawbox=c=0x705040:t=fill:enable='gte(t,20)'",
		"turned":  "hflip=enable='gte(t,20)'",
		"blurred": "gblur=sigma=5:enable='gte(t,20)'",
	})
	broker := kafkatest.StartEmbedded(t).Addr()
	for _, stage := range []string{"ingest", "alerts"} {
		text := fmt.Sprintf(streamsConfig, broker, freeAddress(t))
		for _, camera := range []string{"gone", "hung", "covered", "turned", "blurred"} {
			text += fmt.Sprintf("  - {name: %s, url: %q}\n", camera, sim.URL(camera))
		}
		file := filepath.Join(t.TempDir(), stage+".yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, stage, "--config", file)
	}
	told := func() (all []string) {
		alerts, _ := kcatAlerts(t, broker)
		for _, a := range alerts {
			all = append(all, fmt.Sprint(a.Camera, " ", a.State, " ", a.Label))
		}
		return all
	}
	tell := func(what string) {
		t.Helper()
		await(t, what, 3*time.Minute, func() bool { return slices.Contains(told(), what) })
	}
	await(t, "a topic of alerts", time.Minute, func() bool {
		return exec.Command("kcat", "-L", "-b", broker, "-t", "frostwatch.alerts").Run() == nil
	})
	await(t, "streams", time.Minute, func() bool { return sim.Readers("gone") > 0 && sim.Readers("hung") > 0 })
	streaming := func(camera string) bool {
		for _, r := range kcat(t, broker, "frostwatch.status") {
			if s, err := topics.DecodeStatus(r.Value); err == nil && s.Camera == camera && s.State == topics.StreamStreaming {
				return true
			}
		}
		return false
	}
	await(t, "video", time.Minute, func() bool { return streaming("gone") && streaming("hung") })
	sim.Stop("gone")
	sim.Hang("hung", true)
	tell("gone raised camera offline")
	tell("hung raised picture frozen")
	sim.Start("gone")
	sim.Hang("hung", false)
	for _, c := range []string{"gone cleared camera offline", "hung cleared picture frozen"} {
		tell(c)
	}
	lenses := map[string]string{"covered": "lens covered", "turned": "camera moved", "blurred": "picture out of focus"}
	for camera, label := range lenses {
		tell(camera + " raised " + label)
		tell(camera + " cleared " + label)
	}
	alerts, _ := kcatAlerts(t, broker)
	for _, a := range alerts {
		if label := lenses[a.Camera]; a.Rule == "lens" && a.Label != label {
			t.Errorf("%s: %s %s, which nothing caused", a.Camera, a.State, a.Label)
		}
	}
}

// newStreams plays one of the demo's clips as cameras, each with a filter of FFmpeg:
// twenty seconds as it is, and thirty with what the filter does from then on.
func newStreams(t *testing.T, filters map[string]string) *camsim.Server {
	t.Helper()
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	clip := filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "warehouse_box.mp4")
	for camera, filter := range filters {
		file := filepath.Join(t.TempDir(), camera+".mp4")
		args := []string{"-v", "error", "-stream_loop", "5", "-i", clip, "-t", "50", "-vf", "fps=10,scale=320:180," + filter,
			"-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-g", "10", file}
		if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v: %s", err, out)
		}
		if err := sim.AddFile(camera, file, camsim.FileOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := sim.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return sim
}
