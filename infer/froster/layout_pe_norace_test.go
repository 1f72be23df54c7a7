//go:build !race

package froster

import (
	"maps"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// The released sizes, by the shapes that Meta's code gives them: what no tensor says is
// worked out, and the parameters are as many as Meta's.
func TestReleasedPerceptionEncoders(t *testing.T) {
	for name, c := range map[string]struct {
		Dims
		tensors, visual int
		vision, text    float64 // millions of parameters
	}{
		"T/16": {Dims{384, 16, 192, 12, 3, 512, 12, 8, 512, 32, 49408, 8, "", true, PECore, true, 768, 8}, 313, 163, 6.14, 63.4},
		"S/16": {Dims{384, 16, 384, 12, 6, 512, 12, 8, 512, 32, 49408, 8, "", true, PECore, true, 1536, 8}, 313, 163, 23.8, 63.4},
		"B/16": {Dims{224, 16, 768, 12, 12, 1024, 24, 16, 1024, 32, 49408, 8, "", true, PECore, true, 3072, 8}, 457, 163, 93.7, 354},
		"L/14": {Dims{336, 14, 1024, 24, 16, 1024, 24, 16, 1024, 32, 49408, 8, "", true, PECore, true, 4096, 8}, 601, 307, 317, 354},
		"G/14": {Dims{448, 14, 1536, 50, 16, 1280, 24, 20, 1280, 72, 49408, 8, "", true, PECore, false, 8960, 8}, 912, 618, 1882, 537},
	} {
		w, visual, vision, text := weights{}, 0, 0.0, 0.0
		for tensor, shape := range c.shapes() {
			w[tensor] = checkpoint.Tensor{Shape: shape}
			n := 1e-6
			for _, side := range shape {
				n *= float64(side)
			}
			if strings.HasPrefix(tensor, "visual.") {
				visual, vision = visual+1, vision+n
			} else {
				text += n
			}
		}
		got, err := dimsOf(w)
		if err != nil || got != c.Dims {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.Dims)
		}
		if len(w) != c.tensors || visual != c.visual || math.Abs(vision/c.vision-1) > .002 || math.Abs(text/c.text-1) > .002 {
			t.Errorf("%s: %d tensors, %d of them visual; %.2f and %.2f million parameters", name, len(w), visual, vision, text)
		}
	}
	// GFLOP of a frame, as torch counted them in the official code.
	for name, c := range map[string]struct {
		Dims
		want float64
	}{
		"T/16": {Dims{ImageSize: 384, PatchSize: 16, VisionWidth: 192, VisionLayers: 12, EmbedDim: 512, Frames: 8, Architecture: PECore, Framewise: true, ClassToken: true, PoolHeads: 8}, 9.45},
		"G/14": {Dims{ImageSize: 448, PatchSize: 14, VisionWidth: 1536, VisionLayers: 50, EmbedDim: 1280, Frames: 8, Architecture: PECore, Framewise: true, VisionMLP: 8960, PoolHeads: 8}, 4118.6},
	} {
		// The pool is folded, which saves 4·N·W² of the official code's.
		saved := 4 * float64(c.tokens()) * float64(c.VisionWidth*c.VisionWidth) / 1e9
		if got := c.ClipFLOPs()/8e9 + saved; math.Abs(got/c.want-1) > .002 {
			t.Errorf("%s: %.2f GFLOP a frame, want %.2f", name, got, c.want)
		}
	}
}

// All layouts of one network give the same tensors.
func TestLayoutsOfPerceptionEncoder(t *testing.T) {
	want := inMemory(t, openWeights(t, peCheckpoint(t, "tiny_pe")).weights)
	if len(want) != 85 {
		t.Fatalf("%d tensors", len(want))
	}
	prefixed := func(prefix string) []byte {
		all := map[string]checkpoint.Tensor{}
		for name, tensor := range want {
			all[prefix+name] = tensor
		}
		return torchOf(t, all)
	}
	for what, path := range map[string]string{
		"OpenCLIP":             peCheckpoint(t, "tiny_pe_openclip"),
		"under state_dict":     write(t, t.TempDir(), "pe.pt", prefixed("state_dict.")),
		"under weights":        write(t, t.TempDir(), "pe.pt", prefixed("weights.")),
		"module. before names": write(t, t.TempDir(), "pe.pt", prefixed("state_dict.module.")),
		"another suffix":       write(t, t.TempDir(), "pe.bin", prefixed("")),
	} {
		from := openWeights(t, path)
		sameWeights(t, inMemory(t, from.weights), want, 0)
		if from.activation != GELU || from.licence != licencePE || !strings.Contains(strings.Join(from.notes, " "), "does not name") {
			t.Errorf("%s: %s, %s, %q", what, from.activation, from.licence, from.notes)
		}
	}
}

// What is not a Perception Encoder that can be served is refused, by the tensor's name.
func TestStrangePerceptionEncodersAreRefused(t *testing.T) {
	whole := inMemory(t, openWeights(t, peCheckpoint(t, "tiny_pe")).weights)
	tensor := func(shape ...int) checkpoint.Tensor {
		n := 1
		for _, side := range shape {
			n *= side
		}
		return checkpoint.Tensor{Shape: shape, Data: make([]float32, n)}
	}
	broken := checkpoint.Tensor{Shape: []int{192}, Data: make([]float32, 192)}
	broken.Data[7] = float32(math.NaN())
	without := func(prefixes ...string) func(weights) {
		return func(w weights) {
			maps.DeleteFunc(w, func(name string, _ checkpoint.Tensor) bool {
				for _, p := range prefixes {
					if strings.HasPrefix(name, p) {
						return true
					}
				}
				return false
			})
		}
	}
	for what, c := range map[string]struct {
		change func(weights)
		want   string
	}{
		"no text tower":       {without("transformer.", "token_", "positional", "text_", "ln_final", "logit_scale"), "vision tower alone, as PE-Lang and PE-Spatial"},
		"no pool and no text": {without("transformer.", "token_", "positional", "text_", "ln_final", "logit_scale", "visual.attn_pool", "visual.proj"), "vision tower alone"},
		"another probe":       {func(w weights) { w["visual.attn_pool.probe"] = tensor(1, 2, 96) }, "visual.attn_pool.probe: shape [1 2 96], want [1 1 192]"},
		"no square":           {func(w weights) { w["visual.positional_embedding"] = tensor(16, 192) }, "visual.positional_embedding: 16 rows"},
		"a list of positions": {func(w weights) { w["visual.positional_embedding"] = tensor(17) }, "visual.positional_embedding: shape [17]"},
		"a narrow MLP":        {func(w weights) { w["visual.transformer.resblocks.0.mlp.c_fc.weight"] = tensor(768) }, "visual.transformer.resblocks.0.mlp.c_fc.weight: shape [768]"},
		"a later one":         {func(w weights) { w["visual.transformer.resblocks.2.mlp.c_fc.weight"] = tensor(700, 192) }, "visual.transformer.resblocks.2.mlp.c_fc.weight"},
		"layer scale":         {func(w weights) { w["visual.transformer.resblocks.0.ls_1.gamma"] = tensor(192) }, "visual.transformer.resblocks.0.ls_1.gamma: not part of the model"},
		"a value":             {func(w weights) { w["visual.ln_post.bias"] = broken }, "visual.ln_post.bias: value 7 is NaN"},
		"a layer missing":     {without("visual.transformer.resblocks.1."), "visual.transformer.resblocks.1."},
		"no heads":            {func(w weights) { w["visual.conv1.weight"] = tensor(190, 3, 8, 8) }, "visual.conv1.weight: a width of 190"},
		"no patches":          {func(w weights) { w["visual.conv1.weight"] = tensor(192, 3, 0, 0) }, "visual.conv1.weight"},
		"no scale":            {func(w weights) { w["logit_scale"] = tensor(2) }, "logit_scale: shape [2]"},
	} {
		w := maps.Clone(whole)
		c.change(w)
		out := filepath.Join(t.TempDir(), "out")
		_, err := Import(t.Context(), ImportOptions{Checkpoint: write(t, t.TempDir(), "pe.safetensors", safetensorsOf(t, "F32", w)), Out: out})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	file := peCheckpoint(t, "tiny_pe")
	if _, err := Import(t.Context(), ImportOptions{Checkpoint: file, Activation: QuickGELU, Out: t.TempDir() + "/b"}); err == nil || !strings.Contains(err.Error(), "Perception Encoder has gelu") {
		t.Errorf("QuickGELU: %v", err)
	}
}

func TestStrangeTimmModelsAreRefused(t *testing.T) {
	file := peCheckpoint(t, "tiny_pe_openclip")
	whole := inMemory(t, weights(openFile(t, file)))
	for what, c := range map[string]struct {
		change       func(weights)
		config, want string
	}{
		"a bias":          {func(w weights) { w["visual.trunk.head.bias"].Data[3] = 1 }, "", "visual.trunk.head.bias: it is not zero"},
		"half of a query": {func(w weights) { delete(w, "visual.trunk.attn_pool.kv.weight") }, "", "visual.trunk.attn_pool.kv.weight: missing"},
		"what is unknown": {func(w weights) {
			w["visual.trunk.blocks.0.gamma_1"] = checkpoint.Tensor{Shape: []int{1}, Data: []float32{0}}
		}, "", "visual.trunk.blocks.0.gamma_1: not part of the model"},
		"another tower":  {nil, `{"model_cfg": {"vision_cfg": {"timm_model_name": "vit_pe_lang_large_patch14_448"}}}`, "vit_pe_lang_large_patch14_448"},
		"another filter": {nil, `{"preprocess_cfg": {"interpolation": "bicubic", "resize_mode": "squash"}}`, `"bicubic"`},
		"other colours":  {nil, `{"preprocess_cfg": {"mean": [0.48, 0.45, 0.4], "std": [0.26, 0.26, 0.27]}}`, "mean and standard deviation"},
	} {
		w, dir := inMemory(t, whole), t.TempDir()
		w["visual.trunk.head.bias"] = checkpoint.Tensor{Shape: []int{64}, Data: make([]float32, 64)}
		if c.change != nil {
			c.change(w)
		}
		if c.config != "" {
			write(t, dir, "open_clip_config.json", []byte(c.config))
		}
		_, err := Import(t.Context(), ImportOptions{Checkpoint: write(t, dir, "open_clip_model.safetensors", safetensorsOf(t, "F32", w)), Out: filepath.Join(dir, "out")})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// openFile opens the tensors of a file for the time of the test.
func openFile(t *testing.T, file string) map[string]checkpoint.Tensor {
	t.Helper()
	f, err := checkpoint.Open(file, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f.Tensors
}
