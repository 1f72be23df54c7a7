package froster

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/pixels"
)

func openRuntime(t testing.TB) *Runtime {
	t.Helper()
	library := filepath.Join(shared.Root(t), ".native", "onnxruntime", libraryFile)
	if _, err := os.Stat(library); err != nil {
		shared.Missing(t, library+" (`make setup` fetches it)")
	}
	rt, err := OpenRuntime(RuntimeOptions{Library: library, Provider: "cpu", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// gunzip unpacks one file of the parity fixture.
func gunzip(t testing.TB, elem ...string) string {
	t.Helper()
	in, err := os.Open(shared.Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(elem[len(elem)-1], ".gz"))
	if err := os.WriteFile(out, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

func importBundle(t testing.TB, o ImportOptions) *Bundle {
	t.Helper()
	o.Out = filepath.Join(t.TempDir(), "bundle")
	if _, err := Import(o); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBundle(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParityWithTheOfficialCode(t *testing.T) {
	rt := openRuntime(t)
	for _, c := range []struct {
		file []string
		Precision
	}{
		{[]string{"tiny_froster.pth.gz"}, Float32}, {[]string{"tiny_clip.pt.gz"}, Float32}, {[]string{"tiny_clip_hf", "model.safetensors.gz"}, Float32},
		{[]string{"tiny_froster.pth.gz"}, Float16}, {[]string{"tiny_froster.pth.gz"}, Int8},
	} {
		t.Run(c.file[0]+" "+string(c.Precision), func(t *testing.T) {
			if c.Servable("cpu") != nil {
				return // refused, as TestABatchChangesNothing asserts
			}
			b := importBundle(t, ImportOptions{Checkpoint: gunzip(t, append([]string{"parity"}, c.file...)...), Precision: c.Precision})
			report, err := Check(t.Context(), rt, b, shared.Path(t, "parity", "tiny_froster_io.json"))
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := report.Print(&text); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + text.String())
			if !report.OK() {
				t.Error("over the tolerances")
			}
			if len(report.Arrays) != 7 {
				t.Errorf("only %d arrays were compared", len(report.Arrays))
			}
		})
	}
}

// The demo model against PyTorch's own outputs, from the very frames of the
// video files.
func TestDemoModelMatchesPyTorch(t *testing.T) {
	rt := openRuntime(t)
	b := importBundle(t, ImportOptions{Checkpoint: shared.Path(t, "model", "frost-mini.pth"), Card: shared.Path(t, "model", "frost-mini.json")})
	if len(b.BaseClasses) != 8 || b.Notes == nil || !strings.Contains(b.Licence, "rendered") {
		t.Errorf("card not taken over: %+v", b)
	}
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	expected := readExpected(t)
	if diff := math.Abs(float64(m.LogitScale()) - expected.LogitScale); diff > 1e-4 {
		t.Errorf("logit scale off by %v", diff)
	}
	names := []string{"walking", "standing still", "sitting on a chair", "falling down", "lying on the floor", "two people fighting", "climbing over a fence", "an empty scene with nobody"}
	texts, problems, err := m.EmbedLabels(t.Context(), names)
	if err != nil || slices.ContainsFunc(problems, func(e error) bool { return e != nil }) {
		t.Fatal(err, problems)
	}
	for i, name := range names {
		if d := maxDiff(texts[i], expected.Texts[name]); d > 2e-5 {
			t.Errorf("text %q off by %v", name, d)
		}
	}
	worst := 0.0
	for _, w := range expected.Windows {
		frames := decodeWindow(t, w.Clip, w.Frames, b.Dims.ImageSize)
		e, err := m.EmbedClips(t.Context(), frames, 1)
		if err != nil {
			t.Fatal(err)
		}
		worst = max(worst, maxDiff(e.Frame(0, 0), w.Frame0))
		for i, want := range w.Logits {
			got := dot(e.Clip(0), texts[i]) * float64(m.LogitScale())
			if d := math.Abs(got - want); d > 0.02 {
				t.Errorf("%s %v: logit of %s off by %v", w.Clip, w.Frames[0], names[i], d)
			}
		}
	}
	t.Logf("largest difference of a frame embedding: %.2g", worst)
	// The pixels are rounded to bytes after resizing; PyTorch's were not.
	if worst > 5e-3 {
		t.Errorf("frame embeddings off by %v", worst)
	}
}

func dot(a, b []float32) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

type expectedOutputs struct {
	LogitScale float64              `json:"logit_scale"`
	Texts      map[string][]float32 `json:"texts"`
	Windows    []struct {
		Clip   string    `json:"clip"`
		Frames []int     `json:"frames"`
		Frame0 []float32 `json:"frame0_embedding"`
		Logits []float64 `json:"logits"`
	} `json:"windows"`
}

func readExpected(t testing.TB) expectedOutputs {
	t.Helper()
	raw, err := os.ReadFile(shared.Path(t, "model", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e expectedOutputs
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Windows) == 0 {
		t.Fatal("no windows in expected.json")
	}
	return e
}

// Two exact properties of the architecture (froster.md): the groups of keys are
// a set and the mean forgets order, so a clip played backwards is the same; and
// what else is in a batch changes nothing.
func TestBackwardsAndBatches(t *testing.T) {
	rt := openRuntime(t)
	b := importBundle(t, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_froster.pth.gz")})
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	frame := b.Dims.ImageSize * b.Dims.ImageSize * 3
	clips := make([][]byte, 3)
	for i := range clips {
		clips[i] = make([]byte, b.Dims.Frames*frame)
		for k := range clips[i] {
			clips[i][k] = byte(k*7*(i+1) + k/frame*31)
		}
	}
	backwards := make([]byte, 0, len(clips[0]))
	for k := b.Dims.Frames - 1; k >= 0; k-- {
		backwards = append(backwards, clips[0][k*frame:(k+1)*frame]...)
	}
	alone, err := m.EmbedClips(t.Context(), clips[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	together, err := m.EmbedClips(t.Context(), slices.Concat(clips[1], clips[0], clips[2], backwards), 4)
	if err != nil {
		t.Fatal(err)
	}
	if d := maxDiff(together.Clip(1), alone.Clip(0)); d > 1e-6 {
		t.Errorf("in a batch the embedding is off by %v", d)
	}
	if d := maxDiff(together.Clip(3), alone.Clip(0)); d > 1e-6 {
		t.Errorf("played backwards the embedding is off by %v", d)
	}
	if d := maxDiff(together.Frame(3, 0), alone.Frame(0, 7)); d > 1e-6 {
		t.Errorf("frames do not keep their order: off by %v", d)
	}
	if d := maxDiff(together.Clip(0), alone.Clip(0)); d < 1e-3 {
		t.Error("another clip has the same embedding")
	}
}

func TestOneBadLabelSpoilsNoOther(t *testing.T) {
	rt := openRuntime(t)
	m, err := rt.Load(importBundle(t, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_froster.pth.gz")}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	long := strings.Repeat("word ", 60)
	vectors, problems, err := m.EmbedLabels(t.Context(), []string{"a", long, "b"})
	if err != nil {
		t.Fatal(err)
	}
	if vectors[0] == nil || vectors[2] == nil || vectors[1] != nil {
		t.Error("wrong labels were embedded")
	}
	if problems[1] == nil || !strings.Contains(problems[1].Error(), "the model reads at most 77") {
		t.Errorf("problem: %v", problems[1])
	}
}

func TestPixelsMatchTheOfficialCode(t *testing.T) {
	f, err := openFixture(shared.Path(t, "parity", "tiny_froster_io.json"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name := range f.Arrays {
		base, ok := strings.CutSuffix(name, "_frame")
		if !ok || !strings.HasPrefix(name, "pre_") || base == "pre_224" {
			continue
		}
		n++
		want, err := f.floats(base + "_pixels")
		if err != nil {
			t.Fatal(err)
		}
		source, err := f.bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		shape := f.Arrays[name].Shape
		got := planar(preprocess(source, shape[2], shape[1], f.Dims.ImageSize))
		if d := maxDiff(got, want); d > 1e-5 {
			t.Errorf("%s: off by %v", base, d)
		}
	}
	if n < 3 {
		t.Errorf("only %d frames compared", n)
	}
}

// The byte path that serves differs from the float path by rounding alone.
func TestByteResizeRoundsToNearest(t *testing.T) {
	const w, h, short = 61, 45, 32
	src := make([]byte, w*h*3)
	for i := range src {
		src[i] = byte(i * 2654435761 >> 11)
	}
	exact := make([]float32, len(src))
	for i, v := range src {
		exact[i] = float32(v)
	}
	got, gw, gh := pixels.ResizeShortSide(src, w, h, short, nil)
	want, ww, wh := pixels.ResizeShortSideFloat(exact, w, h, short)
	if gw != ww || gh != wh || gw != 43 || gh != 32 {
		t.Fatalf("size %dx%d, %dx%d", gw, gh, ww, wh)
	}
	for i := range got {
		if math.Abs(float64(got[i])-float64(want[i])) > 0.5+1e-4 {
			t.Fatalf("value %d: %d for %v", i, got[i], want[i])
		}
	}
}
