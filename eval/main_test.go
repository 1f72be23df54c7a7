package eval

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// demoModel is the demo's, loaded; it counts the clips and texts that it is
// given, and the nanoseconds that clips take.
type demoModel struct {
	*froster.Model
	clips, texts, busy atomic.Int64
}

func (m *demoModel) EmbedClips(ctx context.Context, frames []byte, batch int) (froster.ClipEmbeddings, error) {
	m.clips.Add(int64(batch))
	begun := time.Now()
	defer func() { m.busy.Add(time.Since(begun).Nanoseconds()) }()
	return m.Model.EmbedClips(ctx, frames, batch)
}

func (m *demoModel) EmbedLabels(ctx context.Context, texts []string) ([][]float32, []error, error) {
	m.texts.Add(int64(len(texts)))
	return m.Model.EmbedLabels(ctx, texts)
}

func loadDemo(t testing.TB) *demoModel {
	t.Helper()
	return &demoModel{Model: load(t, importDemo(t))}
}

func importDemo(t testing.TB) *froster.Bundle {
	t.Helper()
	b, err := froster.Import(t.Context(), froster.ImportOptions{Checkpoint: shared.Path(t, "model", "frost-mini.pth"), Out: filepath.Join(t.TempDir(), "model")})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB, b *froster.Bundle) *froster.Model {
	t.Helper()
	library := filepath.Join(shared.Root(t), ".native", "onnxruntime", "libonnxruntime.so")
	if _, err := os.Stat(library); err != nil {
		shared.Missing(t, library)
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: library})
	if err != nil {
		t.Fatal(err)
	}
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// testOptions are for three views with the demo model.
func testOptions(m *demoModel) Options {
	d := m.Bundle().Dims
	return Options{
		Model: m, Side: d.ImageSize, Quality: 90, Batch: 4, Decoders: 2,
		Sampling: Sampling{Frames: d.Frames, Step: TrainedStep, Views: 3, Crops: 1},
	}
}

func evaluate(t *testing.T, o Options, p Plan) *Report {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// readPlan is a cross-dataset plan of lists, whose paths are below root; empty
// classes are those beside the lists.
func readPlan(t *testing.T, root, classes string, lists ...string) Plan {
	t.Helper()
	l := Lists{Lists: lists, Root: root}
	if classes != "" {
		l.Classes = []string{classes}
	}
	p, err := ReadPlan(l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func ffmpeg(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		shared.Missing(t, "ffmpeg")
	}
	if out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func readJSON(t *testing.T, into any, elem ...string) {
	t.Helper()
	raw, err := os.ReadFile(shared.Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}
