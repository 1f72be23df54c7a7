//go:build !race

package froster

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// peBundle imports one of the fixture's tiny models.
func peBundle(t *testing.T, name string, p Precision) *Bundle {
	t.Helper()
	return importBundle(t, ImportOptions{Checkpoint: peCheckpoint(t, name), Precision: p})
}

func peCheckpoint(t *testing.T, name string) string {
	t.Helper()
	if name != "tiny_pe_openclip" {
		return gunzip(t, "parity", "pe", name+".pt.gz")
	}
	file := gunzip(t, "parity", "pe", name, "open_clip_model.safetensors.gz")
	config, err := os.ReadFile(shared.Path(t, "parity", "pe", name, "open_clip_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(file), "open_clip_config.json", config)
	return file
}

func peReference(t *testing.T, name string) string {
	t.Helper()
	if name == "tiny_pe_openclip" {
		name = "tiny_pe"
	}
	return shared.Path(t, "parity", "pe", name+"_io.json")
}

func checkPE(t *testing.T, rt *Runtime, b *Bundle, reference string) Report {
	t.Helper()
	report, err := Check(t.Context(), rt, b, reference)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	return report
}

// With and without a class token, against what the official code computed.
func TestParityWithPerceptionEncoder(t *testing.T) {
	rt := openRuntime(t)
	for _, c := range []struct {
		name string
		Precision
	}{{"tiny_pe", Float32}, {"tiny_pe_g", Float32}, {"tiny_pe", Float16}, {"tiny_pe", Int8}} {
		t.Run(c.name+" "+string(c.Precision), func(t *testing.T) {
			if c.Servable("cpu") != nil {
				return // refused, as TestABatchChangesNothing asserts
			}
			report := checkPE(t, rt, peBundle(t, c.name, c.Precision), peReference(t, c.name))
			if !report.OK() {
				t.Error("over the tolerances")
			}
			if len(report.Arrays) != 7 || report.Tokens < 200 {
				t.Errorf("only %d arrays and %d texts were compared", len(report.Arrays), report.Tokens)
			}
		})
	}
}

// peClips are the fixture's clips as the model takes them, and their recorded embeddings.
func peClips(t *testing.T, d Dims) (frames [][]byte, want []float32) {
	t.Helper()
	f, err := openFixture(peReference(t, "tiny_pe"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		name := fmt.Sprintf("frames_%d", i)
		source, err := f.bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		shape := f.Arrays[name].Shape
		var clip []byte
		for frame := range slices.Chunk(source, shape[1]*shape[2]*3) {
			square := make([]byte, d.ImageSize*d.ImageSize*3)
			pixels.Square(frame, shape[2], shape[1], d.ImageSize, d.Resize().Own(), square)
			clip = append(clip, square...)
		}
		frames = append(frames, clip)
	}
	if want, err = f.floats("clip_embeddings"); err != nil {
		t.Fatal(err)
	}
	return frames, want
}

// clipsOff is by how much the clips' embeddings differ from what was recorded.
func clipsOff(t *testing.T, rt *Runtime, b *Bundle) (off float64, clips []float32) {
	t.Helper()
	frames, want := peClips(t, b.Dims)
	m, err := rt.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	e, err := m.EmbedClips(t.Context(), slices.Concat(frames...), len(frames))
	if err != nil {
		t.Fatal(err)
	}
	clips = slices.Concat(e.Clip(0), e.Clip(1), e.Clip(2))
	return maxDiff(clips, want), clips
}

// What serves is within the tolerance; each likely mistake is far beyond it.
func TestMistakesInPerceptionEncoderShow(t *testing.T) {
	rt := openRuntime(t)
	const tolerance = 5e-6
	zero := func(x checkpoint.Tensor) checkpoint.Tensor { return scaled(x, 0) }
	for name, mistake := range map[string]func(weights, *Dims){
		"none":                             func(weights, *Dims) {},
		"two heads for three":              func(_ weights, d *Dims) { d.VisionHeads = 2 },
		"the pool with the tower's heads":  func(_ weights, d *Dims) { d.PoolHeads = 3 },
		"QuickGELU":                        func(_ weights, d *Dims) { d.Activation = QuickGELU },
		"without learned positions":        func(w weights, _ *Dims) { w["visual.positional_embedding"] = zero(w["visual.positional_embedding"]) },
		"CLIP's colours and no rotation":   func(_ weights, d *Dims) { d.Architecture = FROSTER },
		"without the class token's vector": func(w weights, _ *Dims) { w["visual.class_embedding"] = zero(w["visual.class_embedding"]) },
	} {
		from := openWeights(t, peCheckpoint(t, "tiny_pe"))
		d, err := dimsOf(from.weights)
		if err != nil {
			t.Fatal(err)
		}
		d.Activation = from.activation
		mistake(from.weights, &d)
		graph := frameGraph("mistaken", from.weights, d, Float32, builder.peTower)
		d.Architecture = PECore
		b := &Bundle{Name: name, ID: name, Dims: d, Precision: Float32, LogitScale: 100, Templates: peTemplates()}
		dir := filepath.Join(t.TempDir(), "bundle")
		if err := b.save(dir, map[string]*onnx.Graph{videoFile: graph, textFile: textGraph(from.weights, d)}, maxInside); err != nil {
			t.Fatal(err)
		}
		off, _ := clipsOff(t, rt, b)
		if name == "none" && off > tolerance || name != "none" && off < 100*tolerance {
			t.Errorf("%s: off by %.2g, the tolerance is %g", name, off, tolerance)
		}
	}
}

// The angles to float32's rounding: x first, then y, from 1 beside a class token.
func TestRotationIsTheOfficialOne(t *testing.T) {
	for name, size := range map[string]int{"tiny_pe": 32, "tiny_pe_g": 42} {
		f, err := openFixture(peReference(t, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := f.floats("rope_angles") // of each component, not of each pair
		if err != nil {
			t.Fatal(err)
		}
		d := f.Dims
		d.Architecture, d.ImageSize = PECore, size
		got := d.angles()
		if 2*len(got) != len(want) {
			t.Fatalf("%s: %d angles for %d components", name, len(got), len(want))
		}
		for i, a := range got {
			if math.Abs(float64(a-want[2*i])) > 2e-6 || want[2*i] != want[2*i+1] {
				t.Fatalf("%s: pair %d: %v, want %v", name, i, a, want[2*i])
			}
		}
	}
}

// Constants in a file of their own give the same bits, and are verified as the graph is.
func TestConstantsApart(t *testing.T) {
	rt := openRuntime(t)
	checkpoint := peCheckpoint(t, "tiny_pe")
	inside := importBundle(t, ImportOptions{Checkpoint: checkpoint})
	apart := importBundle(t, ImportOptions{Checkpoint: checkpoint, inside: 1})
	if inside.ID != apart.ID || len(apart.SHA256) != 4 || len(inside.SHA256) != 2 || apart.Format != formatNewest {
		t.Errorf("ids %s and %s, files %v and %v", inside.ID, apart.ID, inside.SHA256, apart.SHA256)
	}
	_, want := clipsOff(t, rt, inside)
	off, got := clipsOff(t, rt, apart)
	if off > 5e-6 || !slices.Equal(got, want) {
		t.Errorf("off by %v, by %v from the one file", off, maxDiff(got, want))
	}
	file := filepath.Join(apart.dir, videoFile+apartSuffix)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Load(apart); err == nil || !strings.Contains(err.Error(), "video.onnx.data has SHA-256") {
		t.Errorf("altered: %v", err)
	}
}

// Labels without a description are read as in Meta's evaluation.
func TestLabelsAreReadAsMetaDoes(t *testing.T) {
	f, err := openFixture(peReference(t, "tiny_pe"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.floats("eval_class_embeddings")
	if err != nil {
		t.Fatal(err)
	}
	m, err := openRuntime(t).Load(peBundle(t, "tiny_pe", Float32))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	vectors, problems, err := m.EmbedLabels(t.Context(), f.Classes)
	if err != nil || errors.Join(problems...) != nil {
		t.Fatal(err, problems)
	}
	compared := 0
	for i, class := range f.Classes {
		if strings.Contains(class, ":") {
			continue
		}
		compared++
		if d := maxDiff(vectors[i], want[i*m.Dim():(i+1)*m.Dim()]); d > 5e-6 {
			t.Errorf("%q is off by %.2g", class, d)
		}
	}
	if compared < 30 {
		t.Errorf("only %d labels were compared", compared)
	}
	long := "loitering: Someone stays near the same place for several minutes without any visible purpose, looking around, while other people pass by on their way."
	var cut *CutError
	if err := m.Cut(long); !errors.As(err, &cut) || !strings.Contains(long, cut.After+" ") || !strings.Contains(err.Error(), "32 tokens") || !strings.Contains(err.Error(), "cut after") {
		t.Errorf("cut: %v", err)
	}
	// What stands behind the word changes nothing; the word before does.
	at := strings.Index(long, cut.After+" ") + len(cut.After) + 1
	vectors, _, err = m.EmbedLabels(t.Context(), []string{long, long[:at] + "parked cars", strings.Replace(long, "same", "other", 1)})
	if err != nil || maxDiff(vectors[0], vectors[1]) > .2 || slices.Equal(vectors[0], vectors[2]) {
		t.Errorf("%v", err)
	}
	if err := m.Cut("falling down"); err != nil {
		t.Errorf("a short label: %v", err)
	}
	// Who has only what the model says of itself finds the same.
	limit, err := NewTextLimit(m.Reads())
	if err != nil {
		t.Fatal(err)
	}
	if err := limit.Cut(long); err == nil || err.Error() != m.Cut(long).Error() || limit.Skipped(long) != nil || limit.Cut("falling down") != nil {
		t.Errorf("by what the model says: %v", err)
	}
}
