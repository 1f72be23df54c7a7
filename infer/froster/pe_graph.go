package froster

import (
	"fmt"
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// peTower is Perception Encoder's visual tower over bytes of frames: [frames, embed] in
// float32, not of unit length. Frames don't see each other. Between the blocks the
// activations are a matrix, [frames·tokens, width].
func (b builder) peTower(frames string, d Dims) string {
	x := b.layerNorm(b.rows(b.embedPatches(frames, d), d.VisionWidth), "visual.ln_pre")
	turn := b.rotation(d)
	for i := range d.VisionLayers {
		x = b.peBlock(x, fmt.Sprintf("visual.transformer.resblocks.%d.", i), d, turn)
	}
	return b.embedded(b.pool(b.layerNorm(x, "visual.ln_post"), d))
}

// peBlock is one block: CLIP's, but queries and keys are turned by their patch's place.
func (b builder) peBlock(x, prefix string, d Dims, turn func(string) string) string {
	h := b.layerNorm(x, prefix+"ln_1")
	part := func(i int) string {
		return b.add("Reshape", b.project(h, prefix, i, d.VisionWidth), b.Int64s("", -1, d.tokens(), d.VisionWidth))
	}
	q, k, v := turn(part(0)), turn(part(1)), part(2)
	x = b.add("Add", x, b.attend(q, k, v, "", prefix, d.VisionHeads))
	return b.mlp(x, prefix)
}

// rotation adds the angles' tables and returns what turns queries or keys, [frames,
// tokens, width], by them: neighbouring components (a, b) become (a cos - b sin,
// b cos + a sin).
func (b builder) rotation(d Dims) func(x string) string {
	tables := func(f func(float64) float64) checkpoint.Tensor {
		angles := d.angles()
		for i, a := range angles {
			angles[i] = float32(f(float64(a)))
		}
		return checkpoint.Tensor{Shape: []int{d.tokens(), d.headWidth() / 2}, Data: angles}
	}
	cos, sin := b.constant("rope.cos", tables(math.Cos)), b.constant("rope.sin", tables(math.Sin))
	first := b.Int64s("rope.first", 0)
	return func(x string) string {
		return b.Contrib("RotaryEmbedding", []string{x, first, cos, sin}, onnx.Int("interleaved", 1))
	}
}

// angles are by how much a head's pairs of components are turned, [tokens, head/2]: the
// first half of the pairs by the patch's column, the second by its row, with falling
// frequencies. The class token is turned by nothing; beside one, patches count from 1.
func (d Dims) angles() []float32 {
	pairs, before := d.headWidth()/2, d.classTokens()
	out := make([]float32, d.tokens()*pairs)
	for patch := range d.grid() * d.grid() {
		at := out[(before+patch)*pairs:][:pairs]
		for m := range at {
			place := patch%d.grid() + before
			if m >= pairs/2 {
				place = patch/d.grid() + before
			}
			j := m % (pairs / 2)
			at[m] = float32(place) * float32(math.Pow(10000, -2*float64(j)/float64(pairs)))
		}
	}
	return out
}
