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
	x := b.tower(b.Input(inFrames, onnx.Uint8, batchDim, d.Frames, d.ImageSize, d.ImageSize, 3), d)
	frames := b.unit(b.add("Reshape", x, b.Int64s("", -1, d.Frames, d.EmbedDim)))
	b.As(outClip, "ReduceMean", []string{frames, b.Int64s("", 1)}, onnx.Int("keepdims", 0))
	b.Output(outClip, onnx.Float, batchDim, d.EmbedDim)
	b.Output(outFrames, onnx.Float, batchDim, d.Frames, d.EmbedDim)
	return b.Graph
}

// tower is CLIP's visual tower over bytes of whole frames: [batch·frames, embed] in float32,
// not of unit length.
func (b builder) tower(frames string, d Dims) string {
	x := b.layerNorm(b.rows(b.embedPatches(frames, d), d.VisionWidth), "visual.ln_pre")
	for i := range d.VisionLayers {
		x = b.videoBlock(x, fmt.Sprintf("visual.transformer.resblocks.%d.", i), d, i == d.VisionLayers-1)
	}
	return b.embedded(b.layerNorm(x, "visual.ln_post")) // of the class token, [batch·frames, width]
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
	k := b.seen(b.project(h, prefix, 1, d.VisionWidth), d)
	v := b.seen(b.project(h, prefix, 2, d.VisionWidth), d)
	x = b.add("Add", x, b.attend(q, k, v, "", prefix, d.VisionHeads))
	return b.mlp(x, prefix)
}

// classTokens picks the first row of each frame.
func (b builder) classTokens(x string, d Dims) string {
	return b.rows(b.slice(b.add("Reshape", x, b.Int64s("", -1, d.tokens(), d.VisionWidth)), 0, 1), d.VisionWidth)
}

// seen are the keys (or values) that each frame sees: [batch·frames, tokens, width] of a
// framewise model, whose frames see themselves alone, otherwise those of expandTime.
func (b builder) seen(x string, d Dims) string {
	if d.Framewise {
		return b.add("Reshape", x, b.Int64s("", -1, d.tokens(), d.VisionWidth))
	}
	return b.expandTime(x, d)
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
