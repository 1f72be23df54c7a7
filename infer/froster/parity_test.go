package froster

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/pixels"
)

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
		got := planar(preprocess(source, shape[2], shape[1], f.Dims))
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
