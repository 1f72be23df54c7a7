package froster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
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
	raw := shared.Unpacked(t, elem...)
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(elem[len(elem)-1], ".gz"))
	if err := os.WriteFile(out, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

func importBundle(t testing.TB, o ImportOptions) *Bundle {
	t.Helper()
	o.Out = filepath.Join(t.TempDir(), "bundle")
	if _, err := Import(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBundle(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return b
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
