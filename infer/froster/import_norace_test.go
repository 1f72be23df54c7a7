//go:build !race

package froster

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

func TestTheStudentIsReadNotTheTeacher(t *testing.T) {
	w := tinyWeights(t)
	all, err := checkpoint.Open(gunzip(t, "parity", "tiny_froster.pth.gz"), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = all.Close() }()
	read := inMemory(t, all.Tensors)
	got := w["visual.proj"].Data
	if !slices.Equal(got, read["model_state.model.visual.proj"].Data) || slices.Equal(got, read["model_state.raw_model.visual.proj"].Data) {
		t.Error("the teacher's weights were read")
	}
}

func TestTensorsThatDoNotFitAreListed(t *testing.T) {
	whole := tinyWeights(t)
	d, err := dimsOf(whole)
	if err != nil {
		t.Fatal(err)
	}
	w := maps.Clone(whole)
	delete(w, "visual.proj")
	delete(w, "ln_final.bias")
	w["visual.extra"] = checkpoint.Tensor{Shape: []int{1}, Data: []float32{1}}
	w["visual.ln_pre.weight"] = checkpoint.Tensor{Shape: []int{7}, Data: make([]float32, 7)}
	var shape *ShapeError
	if err := d.check(w); !errors.As(err, &shape) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"ln_final.bias: missing",
		"visual.extra: not part of the model",
		"visual.ln_pre.weight: shape [7], want [128]",
		"visual.proj: missing",
	}
	if !slices.Equal(shape.Problems, want) {
		t.Errorf("got  %q\nwant %q", shape.Problems, want)
	}
}

func TestABundleThatWasAlteredIsRefused(t *testing.T) {
	rt := openRuntime(t)
	b := importBundle(t, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_froster.pth.gz")})
	file := filepath.Join(b.dir, videoFile)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Load(b); err == nil || !strings.Contains(err.Error(), "import the checkpoint again") {
		t.Errorf("got %v", err)
	}
	if b.Licence != licenceFroster {
		t.Errorf("licence %q", b.Licence)
	}
}
