package froster

import (
	"fmt"
	"math"
)

// What no tensor of Perception Encoder says: the widths of a head in towers with a
// class token (T, S, B, L) and without (G), and the heads of the pool
// (core/vision_encoder/config.py).
const (
	peHeadWidth          = headWidth
	peHeadWidthClassless = 96
	pePoolHeads          = 8
)

// isPE recognises Perception Encoder's tensors, by Meta's names.
func isPE(w weights) bool {
	_, pooled := w["visual.attn_pool.probe"]
	return pooled
}

// asPE completes the dimensions of a Perception Encoder whose positions have so many rows.
func (d Dims) asPE(w weights, positions int) (Dims, error) {
	d.Architecture, d.Framewise, d.PoolHeads = PECore, true, pePoolHeads
	_, d.ClassToken = w["visual.class_embedding"]
	patches, each := positions-d.classTokens(), peHeadWidth
	if !d.ClassToken {
		each = peHeadWidthClassless
	}
	grid := int(math.Round(math.Sqrt(float64(max(patches, 0)))))
	d.ImageSize, d.VisionHeads = grid*d.PatchSize, d.VisionWidth/each
	up := w["visual.transformer.resblocks.0.mlp.c_fc.weight"]
	if len(up.Shape) == 2 {
		d.VisionMLP = up.Shape[0]
	}
	switch {
	case patches < 1 || grid*grid != patches:
		return d, fmt.Errorf("visual.positional_embedding: %d rows are not a square of patches and %d class tokens", positions, d.classTokens())
	case d.VisionWidth == 0 || d.VisionWidth%each != 0:
		return d, fmt.Errorf("visual.conv1.weight: a width of %d: want a multiple of %d, the width of a head", d.VisionWidth, each)
	case d.TextWidth == 0 || d.TextWidth%headWidth != 0:
		return d, fmt.Errorf("token_embedding.weight: a width of %d: want a multiple of %d, the width of a head", d.TextWidth, headWidth)
	case d.VisionLayers == 0 || d.TextLayers == 0:
		return d, fmt.Errorf("towers of %d and %d layers (visual.transformer.resblocks, transformer.resblocks)", d.VisionLayers, d.TextLayers)
	case d.VisionMLP == 0:
		return d, fmt.Errorf("visual.transformer.resblocks.0.mlp.c_fc.weight: shape %v, want two dimensions", up.Shape)
	}
	return d, nil
}

// peShapes are the shapes of what Perception Encoder has beside CLIP's tensors.
func (d Dims) peShapes() map[string][]int {
	width := d.VisionWidth
	s := map[string][]int{"visual.attn_pool.probe": {1, 1, width}}
	addAttention(s, "visual.attn_pool.attn.", width)
	addMLP(s, "visual.attn_pool.mlp.", width, 4*width) // also where the blocks' is wider
	addNorm(s, "visual.attn_pool.layernorm", width)
	return s
}

// headWidth is the width of a head in the vision tower.
func (d Dims) headWidth() int { return d.VisionWidth / d.VisionHeads }

// visionMLP is the width between the two layers of the vision tower's MLPs.
func (d Dims) visionMLP() int {
	if d.VisionMLP > 0 {
		return d.VisionMLP
	}
	return 4 * d.VisionWidth
}
