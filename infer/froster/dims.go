// Package froster is the recogniser: FROSTER (Visual-AI/FROSTER, ICLR 2024),
// CLIP with temporal attention. It reads checkpoints, writes the two towers as
// ONNX graphs, and runs them on ONNX Runtime.
package froster

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/topics"
)

// Dims are a model's dimensions, derived from the shapes of its tensors.
type Dims struct {
	ImageSize    int `json:"image_size"` // pixels of a side
	PatchSize    int `json:"patch_size"`
	VisionWidth  int `json:"vision_width"`
	VisionLayers int `json:"vision_layers"`
	VisionHeads  int `json:"vision_heads"`
	TextWidth    int `json:"text_width"`
	TextLayers   int `json:"text_layers"`
	TextHeads    int `json:"text_heads"`
	EmbedDim     int `json:"embed_dim"`
	Context      int `json:"context_length"` // tokens of a text
	VocabSize    int `json:"vocab_size"`
	Frames       int `json:"frames"` // of a clip
	// Activation of both towers' MLPs: QuickGELU or GELU. Empty, in bundles of
	// older versions, means QuickGELU.
	Activation string `json:"activation"`
	// Framewise: each frame is embedded by itself, and a clip is the mean of its frames.
	// Otherwise, as in bundles of older versions, a frame sees its neighbours.
	Framewise bool `json:"framewise,omitempty"`
}

// The activations of the MLPs. QuickGELU is OpenAI's x·sigmoid(1.702x); GELU is
// the exact one, x·Φ(x), with which OpenCLIP trains by default.
const (
	QuickGELU = "quick_gelu"
	GELU      = "gelu"
)

// headWidth is the width of an attention head in CLIP: a tower has width/64
// heads.
const headWidth = 64

// weights are a model's tensors, by OpenAI CLIP's names without any prefix.
type weights map[string]checkpoint.Tensor

// ShapeError lists every tensor that is missing, unknown or misshapen.
type ShapeError struct{ Problems []string }

func (e *ShapeError) Error() string {
	return fmt.Sprintf("%d tensors do not fit a FROSTER model:\n  %s", len(e.Problems), strings.Join(e.Problems, "\n  "))
}

// dimsOf derives the dimensions from the tensors that determine them.
func dimsOf(w weights) (Dims, error) {
	var problems []string
	shape := func(name string, rank int) []int {
		t, ok := w[name]
		if !ok {
			problems = append(problems, name+": missing")
			return make([]int, rank)
		}
		if len(t.Shape) != rank {
			problems = append(problems, fmt.Sprintf("%s: shape %v, want %d dimensions", name, t.Shape, rank))
			return make([]int, rank)
		}
		return t.Shape
	}
	conv := shape("visual.conv1.weight", 4)
	position := shape("visual.positional_embedding", 2)
	tokens := shape("token_embedding.weight", 2)
	context := shape("positional_embedding", 2)
	project := shape("text_projection", 2)
	if len(problems) > 0 {
		return Dims{}, &ShapeError{Problems: problems}
	}
	d := Dims{
		PatchSize: conv[2], VisionWidth: conv[0], VisionHeads: conv[0] / headWidth,
		TextWidth: tokens[1], TextHeads: tokens[1] / headWidth, VocabSize: tokens[0],
		Context: context[0], EmbedDim: project[1], Frames: topics.ClipFrames,
		VisionLayers: layers(w, "visual.transformer.resblocks."),
		TextLayers:   layers(w, "transformer.resblocks."),
	}
	grid := int(math.Round(math.Sqrt(float64(position[0] - 1))))
	d.ImageSize = grid * d.PatchSize
	switch {
	case position[0] < 2 || grid*grid != position[0]-1:
		return d, fmt.Errorf("visual.positional_embedding: %d rows are not a square of patches and one", position[0])
	case d.VisionWidth%headWidth != 0 || d.TextWidth%headWidth != 0 || d.VisionWidth == 0 || d.TextWidth == 0:
		return d, fmt.Errorf("widths %d and %d: want multiples of %d, the width of a head", d.VisionWidth, d.TextWidth, headWidth)
	case d.VisionLayers == 0 || d.TextLayers == 0:
		return d, errors.New("a tower without layers")
	}
	return d, nil
}

func layers(w weights, prefix string) int {
	n := 0
	for name := range w {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		var i int
		if _, err := fmt.Sscanf(rest, "%d.", &i); err == nil {
			n = max(n, i+1)
		}
	}
	return min(n, 1000)
}

// shapes returns the shape of every tensor of a model with these dimensions, by
// name.
func (d Dims) shapes() map[string][]int {
	patches := d.ImageSize / d.PatchSize
	s := map[string][]int{
		"logit_scale":                 {},
		"positional_embedding":        {d.Context, d.TextWidth},
		"text_projection":             {d.TextWidth, d.EmbedDim},
		"token_embedding.weight":      {d.VocabSize, d.TextWidth},
		"ln_final.weight":             {d.TextWidth},
		"ln_final.bias":               {d.TextWidth},
		"visual.class_embedding":      {d.VisionWidth},
		"visual.positional_embedding": {patches*patches + 1, d.VisionWidth},
		"visual.proj":                 {d.VisionWidth, d.EmbedDim},
		"visual.conv1.weight":         {d.VisionWidth, 3, d.PatchSize, d.PatchSize},
	}
	for _, ln := range []string{"visual.ln_pre", "visual.ln_post"} {
		s[ln+".weight"], s[ln+".bias"] = []int{d.VisionWidth}, []int{d.VisionWidth}
	}
	block := func(prefix string, width int) {
		s[prefix+"attn.in_proj_weight"], s[prefix+"attn.in_proj_bias"] = []int{3 * width, width}, []int{3 * width}
		s[prefix+"attn.out_proj.weight"], s[prefix+"attn.out_proj.bias"] = []int{width, width}, []int{width}
		s[prefix+"mlp.c_fc.weight"], s[prefix+"mlp.c_fc.bias"] = []int{4 * width, width}, []int{4 * width}
		s[prefix+"mlp.c_proj.weight"], s[prefix+"mlp.c_proj.bias"] = []int{width, 4 * width}, []int{width}
		for _, ln := range []string{"ln_1", "ln_2"} {
			s[prefix+ln+".weight"], s[prefix+ln+".bias"] = []int{width}, []int{width}
		}
	}
	for i := range d.VisionLayers {
		block(fmt.Sprintf("visual.transformer.resblocks.%d.", i), d.VisionWidth)
	}
	for i := range d.TextLayers {
		block(fmt.Sprintf("transformer.resblocks.%d.", i), d.TextWidth)
	}
	return s
}

// check compares the tensors with the dimensions; its error lists all
// differences.
func (d Dims) check(w weights) error {
	want := d.shapes()
	var problems []string
	for name, shape := range want {
		t, ok := w[name]
		switch {
		case !ok:
			problems = append(problems, name+": missing")
		case !slices.Equal(t.Shape, shape):
			problems = append(problems, fmt.Sprintf("%s: shape %v, want %v", name, t.Shape, shape))
		default:
			if i := slices.IndexFunc(t.Data, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }); i >= 0 {
				problems = append(problems, fmt.Sprintf("%s: value %d is %v", name, i, t.Data[i]))
			}
		}
	}
	for name := range w {
		if _, ok := want[name]; !ok {
			problems = append(problems, name+": not part of the model")
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return &ShapeError{Problems: problems}
	}
	return nil
}
