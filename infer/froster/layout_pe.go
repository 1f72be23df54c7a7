package froster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	licencePE = "Apache-2.0 (Meta's Perception Encoder, PE-Core)"
	notePE    = "Perception Encoder (PE-Core) embeds each frame by itself; a clip is the mean of its frames, so that their order means nothing"
	noteWeb   = "Meta trained it on pictures and videos of the web that it does not name"
)

// fromPE accepts Perception Encoder's tensors by Meta's names.
func fromPE(w weights) source {
	return source{weights: w, activation: GELU, licence: licencePE, notes: []string{notePE, noteWeb}}
}

// isTimmPE recognises Perception Encoder as OpenCLIP and timm write it.
func isTimmPE(w weights) bool {
	_, pooled := w["visual.trunk.attn_pool.latent"]
	return pooled
}

// timmPE are timm's names of the released towers.
func timmPE() []string {
	return []string{"vit_pe_core_tiny_patch16_384", "vit_pe_core_small_patch16_384", "vit_pe_core_base_patch16_224",
		"vit_pe_core_large_patch14_336", "vit_pe_core_gigantic_patch14_448"}
}

// renameTimmPE gives the tensors Meta's names.
func renameTimmPE(w weights) (weights, error) {
	out := weights{}
	for name, t := range w {
		to, ok := strings.CutPrefix(name, "visual.trunk.")
		if !ok {
			if err := out.put(strings.TrimPrefix(name, "text."), t); err != nil {
				return nil, err
			}
			continue
		}
		switch to {
		case "cls_token", "pos_embed":
			if len(t.Shape) != 3 || t.Shape[0] != 1 {
				return nil, fmt.Errorf("%s: shape %v, want [1, tokens, width]", name, t.Shape)
			}
			if to == "pos_embed" {
				out["visual.positional_embedding"] = reshaped(t, t.Shape[1:]...)
			} else {
				out["visual.class_embedding"] = reshaped(t, t.Shape[1]*t.Shape[2])
			}
		case "head.weight":
			if len(t.Shape) != 2 {
				return nil, fmt.Errorf("%s: shape %v, want two dimensions", name, t.Shape)
			}
			out["visual.proj"] = transpose(t)
		case "head.bias":
			v, err := t.Values()
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(v, func(x float32) bool { return x != 0 }) {
				return nil, fmt.Errorf("%s: it is not zero, and Perception Encoder has no such bias", name)
			}
		case "attn_pool.q.weight", "attn_pool.q.bias":
			part := strings.TrimPrefix(to, "attn_pool.q.")
			packed, err := stacked(w, name, "visual.trunk.attn_pool.kv."+part)
			if err != nil {
				return nil, err
			}
			out["visual.attn_pool.attn.in_proj_"+part] = packed
		case "attn_pool.kv.weight", "attn_pool.kv.bias": // stacked behind q
		default:
			out["visual."+timmName(to)] = t
		}
	}
	return out, nil
}

var (
	timmBlock = regexp.MustCompile(`^blocks\.(\d{1,3})\.(.+)\.(weight|bias)$`)
	timmOuter = regexp.MustCompile(`^(.+)\.(weight|bias)$`)
)

// timmName is Meta's name of a tensor of timm's trunk whose values are the same. What is
// unknown keeps its name, so that checking the shapes reports it.
func timmName(name string) string {
	if name == "attn_pool.latent" {
		return "attn_pool.probe"
	}
	if m := timmBlock.FindStringSubmatch(name); m != nil {
		prefix := "transformer.resblocks." + m[1] + "."
		if m[2] == "attn.qkv" {
			return prefix + "attn.in_proj_" + m[3]
		}
		within := map[string]string{"norm1": "ln_1", "norm2": "ln_2", "attn.proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
		if to := within[m[2]]; to != "" {
			return prefix + to + "." + m[3]
		}
	}
	if m := timmOuter.FindStringSubmatch(name); m != nil {
		outside := map[string]string{
			"patch_embed.proj": "conv1", "norm_pre": "ln_pre", "norm": "ln_post", "attn_pool.proj": "attn_pool.attn.out_proj",
			"attn_pool.norm": "attn_pool.layernorm", "attn_pool.mlp.fc1": "attn_pool.mlp.c_fc", "attn_pool.mlp.fc2": "attn_pool.mlp.c_proj",
		}
		if to := outside[m[1]]; to != "" {
			return to + "." + m[2]
		}
	}
	return "trunk." + name
}

// refuseVisionAlone is an error for a checkpoint with a vision tower and nothing of a text tower.
func refuseVisionAlone(w weights) error {
	sees, reads := false, false
	for name := range w {
		bare := strings.TrimPrefix(name, "visual.")
		sees = sees || bare == "conv1.weight" || strings.HasSuffix(bare, "patch_embed.proj.weight")
		reads = reads || strings.Contains(name, "token_embedding") || strings.HasPrefix(name, "text")
	}
	if sees && !reads {
		return errors.New("it is a vision tower alone, as PE-Lang and PE-Spatial are: without a text tower nothing can be compared with words; PE-Core has one")
	}
	return nil
}
