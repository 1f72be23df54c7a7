package froster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// tinyWeights are a whole model's, freshly read.
func tinyWeights(t *testing.T) weights {
	t.Helper()
	return inMemory(t, openWeights(t, gunzip(t, "parity", "tiny_froster.pth.gz")).weights)
}

// openWeights opens a checkpoint for the time of the test.
func openWeights(t *testing.T, path string) source {
	t.Helper()
	from, err := readWeights(path, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.close() })
	return from
}

// inMemory are tensors whose values have been read.
func inMemory(t *testing.T, w weights) weights {
	t.Helper()
	out := weights{}
	for name, tensor := range w {
		values, err := tensor.Values()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = checkpoint.Tensor{Shape: tensor.Shape, Data: values}
	}
	return out
}

// The published architectures, by the shapes that OpenAI's files have.
func TestDimensionsAreReadOffTheShapes(t *testing.T) {
	published := map[string]Dims{
		"ViT-B/16": {224, 16, 768, 12, 12, 512, 12, 8, 512, 77, 49408, 8, "", false, FROSTER, false, 0, 0},
		"ViT-B/32": {224, 32, 768, 12, 12, 512, 12, 8, 512, 77, 49408, 8, "", false, FROSTER, false, 0, 0},
		"ViT-L/14": {224, 14, 1024, 24, 16, 768, 12, 12, 768, 77, 49408, 8, "", false, FROSTER, false, 0, 0},
	}
	positions := map[string]int{"ViT-B/16": 197, "ViT-B/32": 50, "ViT-L/14": 257}
	for name, want := range published {
		w := weights{}
		for tensor, shape := range want.shapes() {
			w[tensor] = checkpoint.Tensor{Shape: shape} // the values tell nothing
		}
		if rows := w["visual.positional_embedding"].Shape[0]; rows != positions[name] {
			t.Errorf("%s: %d positions, want %d", name, rows, positions[name])
		}
		got, err := dimsOf(w)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
		if err := got.check(w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFailedImportWritesNothing(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(gunzip(t, "parity", "tiny_froster.pth.gz"))
	if err != nil {
		t.Fatal(err)
	}
	// A name in the pickle changed: one tensor is missing and one is too many.
	renamed := filepath.Join(dir, "renamed.pth")
	bent := []byte(strings.ReplaceAll(string(whole), "model.visual.proj", "model.visual.pron"))
	if err := os.WriteFile(renamed, bent, 0o644); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short.pth")
	if err := os.WriteFile(short, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{renamed, short, filepath.Join(dir, "absent.pth")} {
		out := filepath.Join(dir, "out", "bundle")
		if _, err := Import(t.Context(), ImportOptions{Checkpoint: file, Out: out}); err == nil {
			t.Errorf("%s was imported", file)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "out", "*")); len(left) > 0 {
			t.Errorf("%s left %v", file, left)
		}
	}
}

// stopping ends after its error has been asked for so many times, once for each tensor.
type stopping struct {
	context.Context
	left int
}

func (s *stopping) Err() error {
	if s.left--; s.left < 0 {
		return context.Canceled
	}
	return nil
}

// Whether its weights are being hashed or written: the import stops, and nothing stays.
func TestAnImportThatIsStoppedLeavesNothing(t *testing.T) {
	file := gunzip(t, "parity", "tiny_froster.pth.gz")
	tensors := len(openWeights(t, file).weights)
	for _, after := range []int{0, tensors / 2, tensors + 1, tensors + tensors/2} {
		dir := t.TempDir()
		ctx := &stopping{t.Context(), after}
		if _, err := Import(ctx, ImportOptions{Checkpoint: file, Out: filepath.Join(dir, "bundle")}); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d of %d tensors: %v", after, tensors, err)
		}
		if ctx.left != -1 {
			t.Errorf("after %d tensors it went on for %d", after, -1-ctx.left)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("after %d tensors it left %v, %v", after, left, err)
		}
	}
}

func TestGPUProvidersAreRefusedWithAReason(t *testing.T) {
	rt := openRuntime(t)
	for _, provider := range []string{"cuda", "tensorrt"} {
		_, err := OpenRuntime(RuntimeOptions{Library: rt.options.Library, Provider: provider})
		if err == nil || !strings.Contains(err.Error(), provider+" is not available here") {
			t.Errorf("%s: %v", provider, err)
		}
	}
	if _, err := OpenRuntime(RuntimeOptions{Provider: "tpu"}); err == nil || !strings.Contains(err.Error(), "want cpu, cuda or tensorrt") {
		t.Errorf("got %v", err)
	}
}

// On a machine where nothing was cached before.
func TestTensorRTHasAFolderForItsEngines(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "new"))
	for range 2 {
		dir, err := engineFolder()
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
