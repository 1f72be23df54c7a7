// Package froster is the recogniser: FROSTER (Visual-AI/FROSTER, ICLR 2024),
// CLIP with temporal attention, or Meta's Perception Encoder. It reads checkpoints, writes the two towers as
// ONNX graphs, and runs them on ONNX Runtime.
package froster

import (
	"errors"
	"fmt"
	"maps"
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

	Architecture string `json:"architecture,omitempty"` // FROSTER or PECore
	// Of PECore alone; FROSTER has a class token, and MLPs of four times the width.
	ClassToken bool `json:"class_token,omitempty"`
	VisionMLP  int  `json:"vision_mlp,omitempty"`
	PoolHeads  int  `json:"pool_heads,omitempty"`
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

// put adds a tensor, unless there is one of its name: which of two names stands for it must
// not be left to chance.
func (w weights) put(name string, t checkpoint.Tensor) error {
	if _, twice := w[name]; twice {
		return fmt.Errorf("two tensors are named %s", name)
	}
	w[name] = t
	return nil
}

// ShapeError lists every tensor that is missing, unknown or misshapen.
type ShapeError struct{ Problems []string }

// Error lists what does not fit, as far as a person reads it. Names of tensors are what a file
// says.
func (e *ShapeError) Error() string {
	const most = 40
	var shown strings.Builder
	for _, p := range e.Problems[:min(most, len(e.Problems))] {
		shown.WriteString("\n  " + fmt.Sprintf("%.300s", topics.Clean(p)))
	}
	if more := len(e.Problems) - most; more > 0 {
		fmt.Fprintf(&shown, "\n  and %d more", more)
	}
	return fmt.Sprintf("%d tensors do not fit the model:%s", len(e.Problems), shown.String())
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
	if d.PatchSize < 1 || d.EmbedDim < 1 {
		return d, fmt.Errorf("visual.conv1.weight, text_projection: shapes %v and %v: no side may be 0", conv, project)
	}
	if isPE(w) {
		return d.asPE(w, position[0])
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
	s := map[string][]int{
		"logit_scale":                 {},
		"positional_embedding":        {d.Context, d.TextWidth},
		"text_projection":             {d.TextWidth, d.EmbedDim},
		"token_embedding.weight":      {d.VocabSize, d.TextWidth},
		"visual.positional_embedding": {d.tokens(), d.VisionWidth},
		"visual.proj":                 {d.VisionWidth, d.EmbedDim},
		"visual.conv1.weight":         {d.VisionWidth, 3, d.PatchSize, d.PatchSize},
	}
	if d.classTokens() > 0 {
		s["visual.class_embedding"] = []int{d.VisionWidth}
	}
	addNorm(s, "visual.ln_pre", d.VisionWidth)
	addNorm(s, "visual.ln_post", d.VisionWidth)
	addNorm(s, "ln_final", d.TextWidth)
	block := func(prefix string, width, mlp int) {
		addAttention(s, prefix+"attn.", width)
		addMLP(s, prefix+"mlp.", width, mlp)
		addNorm(s, prefix+"ln_1", width)
		addNorm(s, prefix+"ln_2", width)
	}
	for i := range d.VisionLayers {
		block(fmt.Sprintf("visual.transformer.resblocks.%d.", i), d.VisionWidth, d.visionMLP())
	}
	for i := range d.TextLayers {
		block(fmt.Sprintf("transformer.resblocks.%d.", i), d.TextWidth, 4*d.TextWidth)
	}
	if d.Architecture == PECore {
		maps.Copy(s, d.peShapes())
	}
	return s
}

func addNorm(s map[string][]int, name string, width int) {
	s[name+".weight"], s[name+".bias"] = []int{width}, []int{width}
}

func addAttention(s map[string][]int, prefix string, width int) {
	s[prefix+"in_proj_weight"], s[prefix+"in_proj_bias"] = []int{3 * width, width}, []int{3 * width}
	s[prefix+"out_proj.weight"], s[prefix+"out_proj.bias"] = []int{width, width}, []int{width}
}

func addMLP(s map[string][]int, prefix string, width, between int) {
	s[prefix+"c_fc.weight"], s[prefix+"c_fc.bias"] = []int{between, width}, []int{between}
	s[prefix+"c_proj.weight"], s[prefix+"c_proj.bias"] = []int{width, between}, []int{width}
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
