//go:build !race

package commands

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/bench"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// runBench runs `frostwatch bench` and returns its output and exit status.
func runBench(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	t.Setenv(asProgram, "yes")
	t.Setenv("TMPDIR", t.TempDir())
	t.Chdir(shared.Root(t)) // ONNX Runtime is found in .native there
	var o, e bytes.Buffer
	code = Run(t.Context(), Program{Args: append([]string{"bench"}, args...), Out: &o, Err: &e, Version: "test"})
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range left {
		if strings.HasPrefix(l.Name(), "frostwatch-bench-") {
			t.Errorf("%s is left behind", l.Name())
		}
	}
	return o.String(), e.String(), code
}

// The figures depend on the machine, but each part must report the figures that it
// is for. The part that runs the whole product is in the end-to-end tests.
func TestBenchMeasuresItsParts(t *testing.T) {
	out, errs, code := runBench(t, "ingest", "infer", "--json", "--for", "2s", "--cameras", "1", "--film", "busy", "--size", "320x180", "--decode", "always")
	if code != 0 {
		t.Fatalf("exit status %d\n%s", code, errs)
	}
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if r.Machine.Cores < 1 || r.Machine.MemoryMB < 1 || r.Machine.Go == "" || r.Machine.CPU == "" {
		t.Errorf("machine %+v", r.Machine)
	}
	if len(r.Ingest) != 1 || r.Infer == nil || r.Up != nil {
		t.Fatalf("a part is missing in\n%s", out)
	}
	// A clip every 2.419 s, or later on a busy machine.
	if i := r.Ingest[0]; i.Cameras != 1 || i.CPU <= 0 || i.FFmpeg <= 0 || i.Video != "busy.mp4" || i.PeakMB <= 0 || i.Clips > 60 {
		t.Errorf("ingest %+v", i)
	}
	if f := r.Infer; f.ONNXRuntime == "" || len(f.Models) == 0 || f.Models[0].Precision != froster.Float32 {
		t.Errorf("infer %+v", f)
	} else {
		for _, m := range f.Models {
			if len(m.Clips) != 2 || m.Clips[1].Rate <= 0 || m.Clips[1].Share <= 0 || m.GFLOPs <= 0 || m.MatMul <= 0 || m.Stages.Decode <= 0 || m.Stages.Model <= m.Stages.Decode || m.Texts <= m.Labels {
				t.Errorf("infer %+v", m)
			}
		}
	}
	var table strings.Builder
	if err := r.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"s per camera minute", "ours is", "clips/s", r.Machine.CPU} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}

func TestBenchMeasuresSearch(t *testing.T) {
	out, errs, code := runBench(t, "search", "--json", "--for", "1s")
	var r bench.Report
	if code != 0 || json.Unmarshal([]byte(out), &r) != nil || r.Search == nil {
		t.Fatalf("exit status %d, %s\n%s", code, errs, out)
	}
	s := r.Search
	for _, rate := range []float64{s.Contrast, s.Similarity, s.Plain, s.Vector, s.Read} {
		if rate <= 0 {
			t.Errorf("a rate is missing: %+v", s)
		}
	}
	if s.Clips != 4*4096 || s.Dims != 512 || s.Files < 4 || s.FileMB < 2*512*4*4096/1e6 || s.Rounds < 1 || s.Ratio <= 0 {
		t.Errorf("%+v", s)
	}
	var table strings.Builder
	if err := r.Print(&table); err != nil || !strings.Contains(table.String(), "times the plain loop") {
		t.Errorf("%v in\n%s", err, table.String())
	}
}

func TestBenchSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"train"}, `invalid argument "train"`},
		{[]string{"ingest", "--cameras", "0"}, "--cameras 0"},
		{[]string{"ingest", "--video", "absent.mp4"}, "measure ingest: absent.mp4: "},
		{[]string{"ingest", "--film", "loud"}, "--film loud: want quiet or busy"},
		{[]string{"ingest", "--film", "quiet", "--size", "320x180", "--codec", "av1"}, "--codec av1: want h264 or hevc"},
		{[]string{"infer", "--model", "absent"}, `--model absent: no such folder, no model in models, and no checkpoint is named "absent"`},
		{[]string{"infer", "--provider", "cuda"}, "measure infer: infer.provider: cuda is not available here: it needs an NVIDIA GPU"},
		{[]string{"vocab", "--provider", "npu"}, `infer.provider: "npu": want cpu, cuda or tensorrt`},
	} {
		if _, errs, code := runBench(t, c.args...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("bench %v: exit status %d, want 1 and %q:\n%s", c.args, code, c.want, errs)
		}
	}
}

// A model is named as `up --model` names it.
func TestBenchFindsAModelByName(t *testing.T) {
	models := t.TempDir()
	if err := os.MkdirAll(filepath.Join(models, "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(models, "mine", bundleMark), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"mine": "open model bundle " + filepath.Join(models, "mine"), "another": "no model in " + models} {
		if _, errs, code := runBench(t, "capacity", "--model", name, "--models", models); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %s", name, code, errs)
		}
	}
}
