package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// graded is each finding's grade and text, a line each.
func graded(all []Finding) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(string(f.Grade) + " " + f.Part + ": " + f.What + "\n")
	}
	return b.String()
}

func TestAMachineOnWhichNothingRunsIsLookedAt(t *testing.T) {
	o := Options{Config: config.Default(), Data: t.TempDir(), Idle: errors.New("nothing runs here")}
	o.Config.Infer.Runtime = filepath.Join(shared.Root(t), ".native", "onnxruntime", "libonnxruntime.so")
	out := graded(Look(t.Context(), o))
	for _, want := range []string{"ok processor: ", "ok FFmpeg: ", "ok ONNX Runtime: ", "ok GPU: none", " clock: ", "ok configuration: none is named", "warning model: the demo model", "disk: --data: ", "warning servers: nothing runs here"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}

func TestServersThatDontAnswerAreFoundWrong(t *testing.T) {
	o := Options{Config: config.Default()}
	o.Config.Kafka.Brokers, o.Config.Redis.Address = []string{"127.0.0.1:1"}, "127.0.0.1:1"
	all := o.servers(t.Context())
	if out := graded(all); Failed(all) != 2 || !strings.Contains(out, "wrong Kafka: 127.0.0.1:1: ") || !strings.Contains(out, "wrong Redis: 127.0.0.1:1: ") {
		t.Errorf("found\n%s", out)
	}
}

func TestAModelOrProviderThatCantServeIsWrong(t *testing.T) {
	o := Options{Config: config.Default()}
	o.Config.Infer.Bundle, o.Config.Infer.Provider = filepath.Join(t.TempDir(), "none"), "cuda"
	if out := graded(o.model()); !strings.HasPrefix(out, "wrong model: ") {
		t.Errorf("a named bundle that is not there: %s", out)
	}
	if _, err := os.Stat(nvidiaDriver); err != nil {
		if f := o.gpu(); f.Grade != Wrong {
			t.Errorf("cuda without a driver: %+v", f)
		}
	}
}

func TestDisks(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		free float64
		want Grade
	}{"much": {100e9, OK}, "little": {2e9, Warning}, "as good as none": {100e6, Wrong}} {
		if f := diskFinding("--data", dir, c.free, 200e9); f.Grade != c.want || f.Grade != OK && f.Do == "" {
			t.Errorf("%s: %+v, want %s and what to do", name, f, c.want)
		}
	}
	if f := diskOf("archive.bucket", filepath.Join(dir, "not", "yet", "made")); !strings.Contains(f.What, dir) {
		t.Errorf("a folder that is still to be made: %+v", f)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := diskOf("archive.bucket", filepath.Join(file, "below")); f.Grade != Wrong {
		t.Errorf("a folder below a file: %+v", f)
	}
}

func TestTopicsThatDiffer(t *testing.T) {
	out := graded(topicFindings(16, []string{"fw.clips"}, []bus.Difference{{Topic: "fw.actions", Setting: "retention.ms", Have: "1", Want: "2", Note: "why"}}))
	if want := "warning topics: 1 of 16 don't exist, the first is fw.clips\nwarning topics: fw.actions: retention.ms is 1, and not 2: why\n"; out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	if many := topicFindings(16, nil, make([]bus.Difference, 50)); len(many) != maxListed+1 {
		t.Errorf("%d findings of 50 differences", len(many))
	}
	if out := graded(topicFindings(16, nil, nil)); out != "ok topics: all 16 are as they should be\n" {
		t.Errorf("without differences: %s", out)
	}
}

func TestWorkersAndCameras(t *testing.T) {
	f := fleet.Fleet{
		Workers: []fleet.Worker{{Name: "w", Alive: true}},
		Cameras: []fleet.Camera{{Name: "door", State: string(topics.StreamStreaming)}, {Name: "gate"}},
		Wrong: []fleet.Wrong{
			{What: "camera gate: connecting: no route"}, {What: "worker w: rule fall: nothing", Warning: "rule fall"},
			{What: "worker w: disk: little", Warning: "disk"}, {What: "worker w can't work: kafka: no"},
		},
	}
	want := "wrong cameras: camera gate: connecting: no route\nwarning workers: worker w: disk: little\nwrong workers: worker w can't work: kafka: no\nok cameras: 1 of 2 stream\n"
	if out := graded(fleetFindings(f)); out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	if out := graded(fleetFindings(fleet.Fleet{})); out != "warning workers: none runs\n" {
		t.Errorf("without workers: %s", out)
	}
}

func TestRules(t *testing.T) {
	idle := map[string]error{"fall": errors.New("no camera matches \"x*\"")}
	if out := graded(ruleFindings([]string{"fall", "fence"}, idle)); out != "warning rules: fall is without full effect: no camera matches \"x*\"\n" {
		t.Errorf("got %s", out)
	}
	if out := graded(ruleFindings(nil, nil)); !strings.HasPrefix(out, "warning rules: there are none") {
		t.Errorf("without rules: %s", out)
	}
}

// What cameras and rules are called comes from others.
func TestWhatIsPrintedIsCleaned(t *testing.T) {
	var b strings.Builder
	if err := Print(&b, []Finding{{"rules", Warning, "a\x1b[31mb\nc", "do\x07"}}); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); strings.ContainsAny(out, "\x1b\x07") || strings.Count(out, "\n") != 2 {
		t.Errorf("printed %q", out)
	}
}
