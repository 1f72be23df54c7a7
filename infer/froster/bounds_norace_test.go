//go:build !race

package froster

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// lying is a copy of a bundle whose bundle.json says something else of its dimensions.
func lying(t *testing.T, b *Bundle, about string, value any) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, os.DirFS(b.dir)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, bundleFile)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	all["dims"].(map[string]any)[about] = value
	all["format"] = formatNewest
	if raw, err = json.Marshal(all); err == nil {
		err = os.WriteFile(file, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// What bundle.json says has no hash of its own: where it lies the model is refused, before
// anything is allocated by it or a clip is embedded wrongly.
func TestABundleThatLiesIsRefused(t *testing.T) {
	b, rt := importBundle(t, ImportOptions{Checkpoint: gunzip(t, "parity", "tiny_froster.pth.gz")}), openRuntime(t)
	for _, c := range []struct {
		about string
		value any
		want  string
	}{
		{"text_layers", -1, "impossible dimensions: text_layers of -1: want 1 to 128"},
		{"text_width", 1_000_000_000, "impossible dimensions: text_width"},
		{"vocab_size", 10, "vocab_size of 10: want 49408"},
		{"image_size", 4096, "image_size of 4096: want 16 to 1536"},
		{"context_length", 3, "context_length of 3"},
		{"text_layers", 7, ""},
		{"embed_dim", 48, "and its bundle.json says"},
		{"embed_dim", 192, "and its bundle.json says"},
		{"frames", 4, ""},
		{"framewise", true, ""},
	} {
		lie, err := OpenBundle(lying(t, b, c.about, c.value))
		if err == nil {
			var m *Model
			if m, err = rt.Load(lie); err == nil {
				_, err = m.Try(t.Context())
				if closed := m.Close(); closed != nil {
					t.Error(closed)
				}
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: got %v, want %q", c.about, c.value, err, c.want)
		}
	}
}

// A tensor that two names stand for is not left to chance, and what float16 can't hold is not
// made infinite.
func TestAmbiguousAndOverflowingWeightsAreRefused(t *testing.T) {
	w := tinyWeights(t)
	twice := maps.Clone(w)
	twice["text.text_projection"] = w["text_projection"]
	if _, err := fromOpenCLIP(twice, t.TempDir(), "x.safetensors"); err == nil || !strings.Contains(err.Error(), "two tensors are named text_projection") {
		t.Errorf("two names: %v", err)
	}
	large := maps.Clone(w)
	values := make([]float32, len(w["visual.proj"].Data))
	values[3] = -65_520
	large["visual.proj"] = checkpoint.Tensor{Shape: w["visual.proj"].Shape, Data: values}
	for p, want := range map[Precision]string{Float16: "visual.proj: value 3 is -65520", Float32: ""} {
		if _, err := large.hash(p, Dims{}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// Names of tensors are what a file says, and there may be thousands.
func TestWhatDoesNotFitIsListedForPeople(t *testing.T) {
	e := &ShapeError{Problems: []string{"a\x1b[31m\nb: unknown"}}
	for range 5000 {
		e.Problems = append(e.Problems, strings.Repeat("x", 10_000))
	}
	text := e.Error()
	if strings.ContainsRune(text, '\x1b') || strings.Contains(text, "\nb") || len(text) > 20_000 || !strings.HasPrefix(text, "5001 tensors") || !strings.HasSuffix(text, "and 4961 more") {
		t.Errorf("%d bytes: %.200q ... %q", len(text), text, text[len(text)-40:])
	}
}
