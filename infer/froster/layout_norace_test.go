//go:build !race

package froster

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// Every format of parity's one network gives the same tensors.
func TestFormatsGiveTheSameWeights(t *testing.T) {
	want := tinyWeights(t)
	config, err := os.ReadFile(shared.Path(t, "parity", "tiny_clip_hf", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(gunzip(t, "parity", "tiny_clip_hf", "model.safetensors.gz"))
	write(t, folder, "config.json", config)
	stored, err := checkpoint.Open(filepath.Join(folder, "model.safetensors"), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stored.Close() }()
	huggingFace := inMemory(t, stored.Tensors)
	wrapped := func(prefix string) map[string]checkpoint.Tensor {
		out := map[string]checkpoint.Tensor{}
		for name, tensor := range want {
			out[prefix+name] = tensor
		}
		return out
	}
	split := wrapped("") // CustomTextCLIP
	for name, tensor := range want {
		if !strings.HasPrefix(name, "visual.") && name != "logit_scale" {
			delete(split, name)
			split["text."+name] = tensor
		}
	}
	split["text.attn_mask"] = checkpoint.Tensor{Shape: []int{2, 2}, Data: make([]float32, 4)}
	listed := wrapped("clip.")
	listed["clip.logit_scale"] = checkpoint.Tensor{Shape: []int{1}, Data: want["logit_scale"].Data}
	quick := []byte(`{"model_cfg": {"embed_dim": 96, "quick_gelu": true, "text_cfg": {"width": 64, "heads": 1}},
		"preprocess_cfg": {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}}`)
	for _, c := range []struct {
		name, path string // path: of a file that is there already
		file       string
		content    []byte
		beside     map[string][]byte
		activation string
		note       string
		tolerance  float64
	}{
		{name: "OpenAI's archive", path: gunzip(t, "parity", "tiny_clip.pt.gz"), activation: QuickGELU, note: "frozen CLIP"},
		{name: "Hugging Face folder", path: folder, activation: QuickGELU, note: "frozen CLIP"},
		{name: "Hugging Face zip", file: "pytorch_model.bin", content: torchOf(t, huggingFace), activation: QuickGELU, note: "no config.json"},
		{name: "Hugging Face, exact GELU", file: "model.safetensors", content: safetensorsOf(t, "F32", huggingFace), activation: GELU,
			beside: map[string][]byte{"config.json": []byte(`{"text_config": {"hidden_act": "gelu"}, "vision_config": {"hidden_act": "gelu"}}`)}},
		{name: "float16", file: "model.safetensors", content: safetensorsOf(t, "F16", huggingFace), activation: QuickGELU, note: "no config.json"},
		{name: "bfloat16", file: "model.safetensors", content: safetensorsOf(t, "BF16", huggingFace), activation: QuickGELU, note: "no config.json", tolerance: 1.0 / 128},
		{name: "OpenCLIP", file: "open_clip_model.safetensors", content: safetensorsOf(t, "F32", want), activation: GELU, note: "GELU was assumed"},
		{name: "OpenCLIP with its configuration", file: "open_clip_pytorch_model.bin", content: torchOf(t, split), activation: QuickGELU,
			beside: map[string][]byte{"open_clip_config.json": quick}},
		{name: "weights averaged by FROSTER", file: "avg.pth", content: torchOf(t, wrapped("model_state.model.")), activation: QuickGELU},
		{name: "OpenCLIP's training", file: "epoch_32.pt", content: torchOf(t, wrapped("state_dict.module.")), activation: QuickGELU, note: "QuickGELU was assumed"},
		{name: "part of a larger model", file: "encoder.pth", content: torchOf(t, listed), activation: QuickGELU, note: "QuickGELU was assumed"},
		{name: "compiled by torch", file: "model.safetensors", content: safetensorsOf(t, "F32", wrapped("model._orig_mod.")), activation: QuickGELU, note: "QuickGELU was assumed"},
		{name: "DistributedDataParallel", file: "ddp.pth", content: torchOf(t, wrapped("state_dict.module.")), activation: QuickGELU, note: "QuickGELU was assumed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path == "" {
				dir := t.TempDir()
				c.path = write(t, dir, c.file, c.content)
				for name, content := range c.beside {
					write(t, dir, name, content)
				}
			}
			got := openWeights(t, c.path)
			sameWeights(t, inMemory(t, got.weights), want, c.tolerance)
			if got.activation != c.activation {
				t.Errorf("activation %q, want %q", got.activation, c.activation)
			}
			if c.note != "" && !strings.Contains(strings.Join(got.notes, "\n"), c.note) {
				t.Errorf("notes %q lack %q", got.notes, c.note)
			}
		})
	}
}

func TestCheckpointsThatAreNotOfThisModel(t *testing.T) {
	w := tinyWeights(t)
	with := func(name string) []byte {
		own := maps.Clone(w)
		own[name] = checkpoint.Tensor{Shape: []int{1}, Data: []float32{1}}
		return safetensorsOf(t, "F32", own)
	}
	for _, c := range []struct{ name, file, config, beside, want string }{
		{"sigmoid", "open_clip_model.safetensors", "", "", "logit_bias"},
		{"other text tower", "open_clip_model.safetensors", "open_clip_config.json", `{"model_cfg": {"text_cfg": {"hf_model_name": "roberta-base"}}}`, "roberta-base"},
		{"other heads", "open_clip_model.safetensors", "open_clip_config.json", `{"model_cfg": {"vision_cfg": {"head_width": 80}}}`, "heads of width 80"},
		{"other colours", "open_clip_model.safetensors", "open_clip_config.json", `{"preprocess_cfg": {"mean": [0.5, 0.5, 0.5]}}`, "mean and standard deviation"},
		{"broken configuration", "open_clip_model.safetensors", "open_clip_config.json", `{`, "read open_clip_config.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			content := with("logit_bias")
			if c.config != "" {
				content = safetensorsOf(t, "F32", w)
				write(t, dir, c.config, []byte(c.beside))
			}
			_, err := readWeights(write(t, dir, c.file, content), "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want one about %q", err, c.want)
			}
		})
	}
	if _, err := readWeights(t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := readWeights(gunzip(t, "parity", "tiny_clip.pt.gz"), "relu"); err == nil || !strings.Contains(err.Error(), "quick_gelu or gelu") {
		t.Errorf("an unknown activation: %v", err)
	}
}

// A checkpoint in several files is read by its index, whichever of its files is named.
func TestACheckpointInParts(t *testing.T) {
	want := tinyWeights(t)
	halves, files, dir := [2]map[string]checkpoint.Tensor{{}, {}}, map[string]string{}, t.TempDir()
	for i, name := range slices.Sorted(maps.Keys(want)) {
		halves[i%2][name] = want[name]
		files[name] = fmt.Sprintf("model-%05d-of-00002.safetensors", i%2+1)
	}
	for i, half := range halves {
		write(t, dir, fmt.Sprintf("model-%05d-of-00002.safetensors", i+1), safetensorsOf(t, "F32", half))
	}
	if _, err := readWeights(filepath.Join(dir, "model-00001-of-00002.safetensors"), ""); err == nil || !strings.Contains(err.Error(), "find the other parts") {
		t.Errorf("a part alone: %v", err)
	}
	index, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": files})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "model.safetensors.index.json", index)
	for _, name := range []string{"", "model.safetensors.index.json", "model-00002-of-00002.safetensors"} {
		sameWeights(t, inMemory(t, openWeights(t, filepath.Join(dir, name)).weights), want, 0)
	}
	for content, wrong := range map[string]string{
		`{"weight_map": {"a": "../model.safetensors"}}`: "which is no file of the folder",
		`{"weight_map": {"a": "/etc/passwd"}}`:          "which is no file of the folder",
		`{"weight_map": {}}`:                            "names no files",
		`[`:                                             "model.safetensors.index.json",
		`{"weight_map": {"a": "model-00003-of-00003.safetensors"}}`: "download all parts",
	} {
		write(t, dir, "model.safetensors.index.json", []byte(content))
		if _, err := readWeights(dir, ""); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

// The exact GELU is another network: parity measured its embeddings 1.6e-3 off.
func TestActivationsDiffer(t *testing.T) {
	rt := openRuntime(t)
	file := gunzip(t, "parity", "tiny_froster.pth.gz")
	var clips [][]float32
	var ids []string
	for _, a := range []string{QuickGELU, GELU} {
		m, err := rt.Load(importBundle(t, ImportOptions{Checkpoint: file, Activation: a}))
		if err != nil {
			t.Fatal(err)
		}
		frames := make([]byte, m.bundle.Dims.clipValues())
		for i := range frames {
			frames[i] = byte(i * 31)
		}
		e, err := m.EmbedClips(t.Context(), frames, 1)
		if err != nil {
			t.Fatal(err)
		}
		clips, ids = append(clips, e.Clip(0)), append(ids, m.ID())
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if d := maxDiff(clips[0], clips[1]); d < 2e-4 || d > 1e-2 {
		t.Errorf("the two are %v apart", d)
	}
	if ids[0] == ids[1] {
		t.Error("both have one model id")
	}
}
