package froster

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// openCLIPConfig is the part of open_clip_config.json that is read.
type openCLIPConfig struct {
	Model struct {
		QuickGELU bool `json:"quick_gelu"`
		Vision    struct {
			HeadWidth int    `json:"head_width"`
			Timm      string `json:"timm_model_name"`
		} `json:"vision_cfg"`
		Text struct {
			HuggingFace string `json:"hf_model_name"`
			Pool        string `json:"pool_type"`
			NoMask      bool   `json:"no_causal_mask"`
			Width       int    `json:"width"`
			Heads       int    `json:"heads"`
		} `json:"text_cfg"`
	} `json:"model_cfg"`
	Preprocess struct {
		Mean          []float32 `json:"mean"`
		Std           []float32 `json:"std"`
		Interpolation string    `json:"interpolation"`
		Resize        string    `json:"resize_mode"`
	} `json:"preprocess_cfg"`
}

// fromOpenCLIP accepts OpenCLIP's models whose towers are the same as OpenAI's.
// Their tensors have OpenAI's names; the activation differs: the exact GELU,
// unless their configuration says otherwise.
func fromOpenCLIP(w weights, dir, file string) (source, error) {
	s := source{weights: weights{}, licence: licenceUnknown, notes: []string{frozenCLIP}, activation: GELU}
	config, found, err := readConfig[openCLIPConfig](filepath.Join(dir, "open_clip_config.json"))
	if err != nil {
		return s, err
	}
	if found {
		if err := config.check(isTimmPE(w)); err != nil {
			return s, fmt.Errorf("open_clip_config.json: %w", err)
		}
	}
	if isTimmPE(w) {
		renamed, err := renameTimmPE(w)
		return fromPE(renamed), err
	}
	switch {
	case found:
		if config.Model.QuickGELU {
			s.activation = QuickGELU
		}
	case strings.HasPrefix(file, "open_clip"):
		s.notes = append(s.notes, "no open_clip_config.json lay beside the weights: GELU was assumed, OpenCLIP's default (--activation decides otherwise)")
	default:
		s.activation = QuickGELU
		s.notes = append(s.notes, "the activation is not recorded with the weights: OpenAI's QuickGELU was assumed (--activation overrides it)")
	}
	for name, t := range w {
		// CustomTextCLIP keeps its text tower under this prefix.
		if err := s.weights.put(strings.TrimPrefix(name, "text."), t); err != nil {
			return s, err
		}
	}
	if _, ok := s.weights["logit_bias"]; ok {
		return s, errors.New("the model was trained with a sigmoid loss (it has a logit_bias), so its scores are not CLIP's")
	}
	// OpenCLIP's larger towers have wider heads, which can't be seen from the
	// tensors.
	if conv, ok := s.weights["visual.conv1.weight"]; ok && !found && len(conv.Shape) > 0 && conv.Shape[0] > 1024 {
		return s, fmt.Errorf("a tower of width %d: the width of its heads is unknown; put open_clip_config.json next to the weights", conv.Shape[0])
	}
	return s, nil
}

// check refuses what differs from CLIP, or from Perception Encoder.
func (c openCLIPConfig) check(pe bool) error {
	m := c.Model
	switch {
	case pe && m.Vision.Timm != "" && !slices.Contains(timmPE(), m.Vision.Timm):
		return fmt.Errorf("its vision tower is timm's %s: want one of %s", m.Vision.Timm, strings.Join(timmPE(), ", "))
	case !pe && m.Vision.Timm != "":
		return fmt.Errorf("its vision tower is timm's %s, not CLIP's", m.Vision.Timm)
	case pe && c.Preprocess.Interpolation != "" && c.Preprocess.Interpolation != "bilinear", pe && c.Preprocess.Resize != "" && c.Preprocess.Resize != "squash":
		return fmt.Errorf("preprocess_cfg: interpolation %q and resize_mode %q: want bilinear and squash", c.Preprocess.Interpolation, c.Preprocess.Resize)
	case m.Text.HuggingFace != "":
		return fmt.Errorf("its text tower is %s, not CLIP's", m.Text.HuggingFace)
	case m.Text.NoMask || m.Text.Pool != "" && m.Text.Pool != "argmax":
		return errors.New("its text tower reads texts differently from CLIP's (no_causal_mask, pool_type)")
	case m.Vision.HeadWidth != 0 && m.Vision.HeadWidth != headWidth:
		return fmt.Errorf("heads of width %d: only %d is known", m.Vision.HeadWidth, headWidth)
	case m.Text.Heads != 0 && m.Text.Width != m.Text.Heads*headWidth:
		return fmt.Errorf("%d text heads for a width of %d: only heads of %d are known", m.Text.Heads, m.Text.Width, headWidth)
	}
	own := Dims{}.colours()
	if pe {
		own = Dims{Architecture: PECore}.colours()
	}
	want := slices.Concat(own.mean[:], own.std[:])
	for i, v := range slices.Concat(c.Preprocess.Mean, c.Preprocess.Std) {
		if i >= len(want) || math.Abs(float64(v-want[i])) > 1e-3 {
			return fmt.Errorf("preprocess_cfg: its colours' mean and standard deviation are not the model's, %v and %v", own.mean, own.std)
		}
	}
	return nil
}
