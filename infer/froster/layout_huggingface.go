package froster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// huggingFaceConfig is the part of a CLIPModel's config.json that is read. A
// key that is left out has CLIPConfig's default, which is the zero value here.
type huggingFaceConfig struct {
	Text   huggingFaceTower `json:"text_config"`
	Vision huggingFaceTower `json:"vision_config"`
}

type huggingFaceTower struct {
	Activation string `json:"hidden_act"`
	Width      int    `json:"hidden_size"`
	Heads      int    `json:"num_attention_heads"`
}

// fromHuggingFace renames the tensors of a CLIPModel of Hugging Face's
// transformers. Its queries, keys and values are separate tensors, and its
// projections are transposed.
func fromHuggingFace(w weights, dir string) (source, error) {
	s := source{licence: licenceUnknown, notes: []string{frozenCLIP}}
	config, found, err := readConfig[huggingFaceConfig](filepath.Join(dir, "config.json"))
	if err != nil {
		return s, err
	}
	if !found {
		s.notes = append(s.notes, "no config.json lay beside the weights: QuickGELU was assumed, CLIPConfig's default")
	}
	if s.activation, err = config.activation(); err != nil {
		return s, err
	}
	for _, tower := range []huggingFaceTower{config.Text, config.Vision} {
		if tower.Heads > 0 && tower.Width > 0 && tower.Width != tower.Heads*headWidth {
			return s, fmt.Errorf("config.json: %d heads for a width of %d: only heads of %d are known", tower.Heads, tower.Width, headWidth)
		}
	}
	s.weights, err = renameHuggingFace(w)
	return s, err
}

func (c huggingFaceConfig) activation() (string, error) {
	text, vision := c.Text.Activation, c.Vision.Activation
	for _, a := range []*string{&text, &vision} {
		if *a == "" {
			*a = QuickGELU
		}
	}
	if text != vision || !slices.Contains([]string{QuickGELU, GELU}, text) {
		return "", fmt.Errorf("config.json: hidden_act %q and %q: want %s or %s, the same for both towers", text, vision, QuickGELU, GELU)
	}
	return text, nil
}

// readConfig reads a JSON file next to the weights; found is false if there is
// none.
func readConfig[T any](file string) (c T, found bool, err error) {
	const limit = 1 << 20
	raw, err := checkpoint.ReadSmall(file, limit)
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return c, false, fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	return c, true, nil
}

// huggingFaceNames maps the names of tensors outside the blocks to OpenAI's.
func huggingFaceNames() map[string]string {
	names := map[string]string{
		"logit_scale": "logit_scale",
		"vision_model.embeddings.class_embedding":           "visual.class_embedding",
		"vision_model.embeddings.patch_embedding.weight":    "visual.conv1.weight",
		"vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
		"visual_projection.weight":                          "visual.proj",
		"text_model.embeddings.token_embedding.weight":      "token_embedding.weight",
		"text_model.embeddings.position_embedding.weight":   "positional_embedding",
		"text_projection.weight":                            "text_projection",
	}
	for _, part := range []string{".weight", ".bias"} {
		names["vision_model.pre_layrnorm"+part] = "visual.ln_pre" + part // misspelt there
		names["vision_model.post_layernorm"+part] = "visual.ln_post" + part
		names["text_model.final_layer_norm"+part] = "ln_final" + part
	}
	return names
}

// huggingFaceBlock maps the names within a block to OpenAI's.
func huggingFaceBlock() map[string]string {
	return map[string]string{"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
}

func renameHuggingFace(w weights) (weights, error) {
	outside, within := huggingFaceNames(), huggingFaceBlock()
	block := regexp.MustCompile(`^(vision|text)_model\.encoder\.layers\.(\d{1,3})\.(.+)\.(weight|bias)$`)
	out := weights{}
	for name, t := range w {
		to := outside[name]
		if m := block.FindStringSubmatch(name); m != nil {
			prefix := map[string]string{"vision": "visual.transformer.resblocks.", "text": "transformer.resblocks."}[m[1]] + m[2] + "."
			switch m[3] {
			case "self_attn.q_proj":
				packed, err := packProjections(w, name[:len(name)-len("q_proj."+m[4])], m[4])
				if err != nil {
					return nil, err
				}
				out[prefix+"attn.in_proj_"+m[4]] = packed
				continue
			case "self_attn.k_proj", "self_attn.v_proj":
				continue // packed together with q_proj
			}
			if own := within[m[3]]; own != "" {
				to = prefix + own + "." + m[4]
			}
		}
		if to == "" {
			to = name // kept, so that checking the shapes reports it as unknown
		}
		if (to == "visual.proj" || to == "text_projection") && len(t.Shape) == 2 {
			t = transpose(t)
		}
		if err := out.put(to, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// packProjections joins queries, keys and values into one tensor, the layout of
// torch's MultiheadAttention.
func packProjections(w weights, prefix, part string) (checkpoint.Tensor, error) {
	return stacked(w, prefix+"q_proj."+part, prefix+"k_proj."+part, prefix+"v_proj."+part)
}

// stacked are the named tensors, one behind the other by their first dimension.
func stacked(w weights, names ...string) (checkpoint.Tensor, error) {
	var shape []int
	var parts []checkpoint.Tensor
	for _, name := range names {
		t, ok := w[name]
		if !ok || len(t.Shape) == 0 || shape != nil && !slices.Equal(shape[1:], t.Shape[1:]) {
			return checkpoint.Tensor{}, fmt.Errorf("%s: missing, or of another shape than %s", name, names[0])
		}
		if shape == nil {
			shape = append([]int{0}, t.Shape[1:]...)
		}
		shape[0] += t.Shape[0]
		parts = append(parts, t)
	}
	return checkpoint.Later(shape, func() (all []float32, err error) {
		for _, t := range parts {
			v, err := t.Values()
			if err != nil {
				return nil, err
			}
			all = append(all, v...)
		}
		return all, nil
	}), nil
}
