package froster

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/frostwatch/frostwatch/media/pixels"
)

// openCLIPConfig is what is read of open_clip_config.json.
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
		Mean []float32 `json:"mean"`
		Std  []float32 `json:"std"`
	} `json:"preprocess_cfg"`
}

// fromOpenCLIP takes OpenCLIP's models whose towers are OpenAI's. They have its
// names too; what differs is the activation, the exact GELU unless their
// configuration says otherwise.
func fromOpenCLIP(w weights, dir, file string) (source, error) {
	s := source{weights: weights{}, licence: licenceUnknown, notes: []string{frozenCLIP}, activation: GELU}
	config, found, err := readConfig[openCLIPConfig](filepath.Join(dir, "open_clip_config.json"))
	if err != nil {
		return s, err
	}
	switch {
	case found:
		if err := config.check(); err != nil {
			return s, fmt.Errorf("open_clip_config.json: %w", err)
		}
		if config.Model.QuickGELU {
			s.activation = QuickGELU
		}
	case strings.HasPrefix(file, "open_clip"):
		s.notes = append(s.notes, "no open_clip_config.json lay beside the weights: GELU was assumed, OpenCLIP's default (--activation decides otherwise)")
	default:
		s.activation = QuickGELU
		s.notes = append(s.notes, "nothing beside the weights told their activation: QuickGELU was assumed, OpenAI's (--activation decides otherwise)")
	}
	for name, t := range w {
		s.weights[strings.TrimPrefix(name, "text.")] = t // CustomTextCLIP has its text tower apart
	}
	if _, ok := s.weights["logit_bias"]; ok {
		return s, errors.New("it was trained with a sigmoid (logit_bias), whose scores are not CLIP's")
	}
	// OpenCLIP's larger towers have wider heads, which no tensor tells.
	if conv, ok := s.weights["visual.conv1.weight"]; ok && !found && len(conv.Shape) > 0 && conv.Shape[0] > 1024 {
		return s, fmt.Errorf("a tower of width %d: open_clip_config.json must lie beside the weights to tell its heads", conv.Shape[0])
	}
	return s, nil
}

func (c openCLIPConfig) check() error {
	m := c.Model
	switch {
	case m.Vision.Timm != "":
		return fmt.Errorf("its vision tower is timm's %s, not CLIP's", m.Vision.Timm)
	case m.Text.HuggingFace != "":
		return fmt.Errorf("its text tower is %s, not CLIP's", m.Text.HuggingFace)
	case m.Text.NoMask || m.Text.Pool != "" && m.Text.Pool != "argmax":
		return errors.New("its text tower does not read as CLIP's does (no_causal_mask, pool_type)")
	case m.Vision.HeadWidth != 0 && m.Vision.HeadWidth != headWidth:
		return fmt.Errorf("heads of width %d: only %d is known", m.Vision.HeadWidth, headWidth)
	case m.Text.Heads != 0 && m.Text.Width != m.Text.Heads*headWidth:
		return fmt.Errorf("%d text heads for a width of %d: only heads of %d are known", m.Text.Heads, m.Text.Width, headWidth)
	}
	for i, v := range append(append([]float32{}, c.Preprocess.Mean...), c.Preprocess.Std...) {
		want := append(append([]float32{}, pixels.Mean[:]...), pixels.Std[:]...)
		if i >= len(want) || math.Abs(float64(v-want[i])) > 1e-3 {
			return errors.New("preprocess_cfg: its mean and deviation of colours are not CLIP's")
		}
	}
	return nil
}
