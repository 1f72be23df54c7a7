package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// videoGraph is the visual tower: CLIP's, with each block's attention expanded
// over time as in FROSTER's "expand_temporal_view". Between the blocks the
// activations are a matrix, [batch·frames·tokens, width].
func videoGraph(w weights, d Dims, p Precision) *onnx.Graph {
	b := newBuilder("froster_video", w, d, p)
	x := b.layerNorm(b.rows(b.frames(d), d.VisionWidth), "visual.ln_pre")
	for i := range d.VisionLayers {
		x = b.videoBlock(x, fmt.Sprintf("visual.transformer.resblocks.%d.", i), d, i == d.VisionLayers-1)
	}
	b.embeddings(b.layerNorm(x, "visual.ln_post"), d) // of the class token, [batch·frames, width]
	return b.Graph
}

// videoBlock is one block. In the last block only the class token is read, so
// only its query is computed; the result is exactly the same.
func (b builder) videoBlock(x, prefix string, d Dims, last bool) string {
	h := b.layerNorm(x, prefix+"ln_1")
	queries, asked := h, d.tokens()
	if last {
		queries, x, asked = b.classTokens(h, d), b.classTokens(x, d), 1
	}
	q := b.add("Reshape", b.project(queries, prefix, 0, d.VisionWidth), b.Int64s("", -1, asked, d.VisionWidth))
	k := b.expandTime(b.project(h, prefix, 1, d.VisionWidth), d)
	v := b.expandTime(b.project(h, prefix, 2, d.VisionWidth), d)
	x = b.add("Add", x, b.attend(q, k, v, "", prefix, d.VisionHeads))
	return b.mlp(x, prefix)
}

// classTokens picks the first row of each frame.
func (b builder) classTokens(x string, d Dims) string {
	return b.rows(b.slice(b.add("Reshape", x, b.Int64s("", -1, d.tokens(), d.VisionWidth)), 0, 1), d.VisionWidth)
}

// expandTime gives each frame the keys (or values) of the next frame, the
// previous one and itself, [batch·frames, 3·tokens, width]. They are computed
// once and shifted. Beyond the clip's ends they are zero vectors, which still
// take part in the softmax.
func (b builder) expandTime(x string, d Dims) string {
	clip := b.add("Reshape", x, b.Int64s("", -1, d.Frames, d.tokens(), d.VisionWidth))
	// One zero frame at either end: frame f of the clip is frame f+1 here.
	padded := b.add("Pad", clip, b.Int64s("", 0, 1, 0, 0, 0, 1, 0, 0))
	var seen []int
	for f := range d.Frames {
		seen = append(seen, f+2, f, f+1)
	}
	all := b.Op("Gather", []string{padded, b.Int64s("", seen...)}, onnx.Int("axis", 1))
	return b.add("Reshape", all, b.Int64s("", -1, 3*d.tokens(), d.VisionWidth))
}
