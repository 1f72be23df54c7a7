package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
	"github.com/frostwatch/frostwatch/infer/froster/pixels"
)

// Names of the video graph's ends.
const (
	inFrames   = "frames"           // uint8 [batch, frames, size, size, 3], RGB
	outClip    = "embedding"        // float32 [batch, embed]: mean of the frames', not unit
	outFrames  = "frame_embeddings" // float32 [batch, frames, embed], unit
	batchDim   = "batch"
	textsDim   = "texts"
	lengthDim  = "length"
	lastOfAxis = 1 << 31
)

// videoGraph is the visual tower: CLIP's, with each block's attention expanded
// over time as in FROSTER's "expand_temporal_view".
func videoGraph(w weights, d Dims) []byte {
	b := builder{onnx.NewGraph("froster_video"), w}
	in := b.Input(inFrames, onnx.Uint8, batchDim, d.Frames, d.ImageSize, d.ImageSize, 3)
	x := b.layerNorm(b.embedPatches(b.normalise(in, d), d), "visual.ln_pre")
	for i := range d.VisionLayers {
		x = b.videoBlock(x, fmt.Sprintf("visual.transformer.resblocks.%d.", i), d, i == d.VisionLayers-1)
	}
	x = b.layerNorm(x, "visual.ln_post") // [batch·frames, 1, width]: the class token
	x = b.add("MatMul", b.add("Reshape", x, b.Int64s("", -1, d.Frames, d.VisionWidth)), b.tensor("visual.proj"))
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	frames := b.As(outFrames, "Div", []string{x, norm})
	b.As(outClip, "ReduceMean", []string{frames, b.Int64s("", 1)}, onnx.Int("keepdims", 0))
	b.Output(outClip, onnx.Float, batchDim, d.EmbedDim)
	b.Output(outFrames, onnx.Float, batchDim, d.Frames, d.EmbedDim)
	return b.Marshal()
}

// normalise gives [batch·frames, 3, size, size] in CLIP's units.
func (b builder) normalise(frames string, d Dims) string {
	x := b.Op("Cast", []string{frames}, onnx.Int("to", int(onnx.Float)))
	x = b.add("Reshape", x, b.Int64s("", -1, d.ImageSize, d.ImageSize, 3))
	mean, std := make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		mean[c], std[c] = 255*pixels.Mean[c], 255*pixels.Std[c]
	}
	x = b.add("Div", b.add("Sub", x, b.Floats("", mean, 3)), b.Floats("", std, 3))
	return b.Op("Transpose", []string{x}, onnx.Ints("perm", 0, 3, 1, 2))
}

// embedPatches gives [batch·frames, 1+patches, width]: class token first,
// positions added.
func (b builder) embedPatches(x string, d Dims) string {
	patches := b.Op("Conv", []string{x, b.tensor("visual.conv1.weight")},
		onnx.Ints("kernel_shape", d.PatchSize, d.PatchSize), onnx.Ints("strides", d.PatchSize, d.PatchSize))
	grid := d.ImageSize / d.PatchSize
	patches = b.add("Reshape", patches, b.Int64s("", 0, d.VisionWidth, grid*grid))
	patches = b.Op("Transpose", []string{patches}, onnx.Ints("perm", 0, 2, 1))
	count := b.Op("Shape", []string{patches}, onnx.Int("start", 0), onnx.Int("end", 1))
	each := b.Op("Concat", []string{count, b.Int64s("", 1, d.VisionWidth)}, onnx.Int("axis", 0))
	class := b.add("Expand", b.Floats("visual.class_embedding", b.w["visual.class_embedding"].Data, 1, 1, d.VisionWidth), each)
	return b.add("Add", b.Op("Concat", []string{class, patches}, onnx.Int("axis", 1)), b.tensor("visual.positional_embedding"))
}

// videoBlock is one block on [batch·frames, tokens, width]. Of the last only
// the class token is read, so only its query is computed: exact.
func (b builder) videoBlock(x, prefix string, d Dims, last bool) string {
	h := b.layerNorm(x, prefix+"ln_1")
	queries := h
	if last {
		queries, x = b.slice(h, 0, 1), b.slice(x, 0, 1)
	}
	q := b.project(queries, prefix, 0, d.VisionWidth)
	k := b.expandTime(b.project(h, prefix, 1, d.VisionWidth), d)
	v := b.expandTime(b.project(h, prefix, 2, d.VisionWidth), d)
	x = b.add("Add", x, b.attend(q, k, v, "", prefix, d.VisionHeads))
	return b.mlp(x, prefix)
}

// expandTime gives each frame the keys (or values) of the next frame, the
// previous one and itself, [batch·frames, 3·tokens, width]. They are computed
// once and shifted; beyond the clip's ends they are zero vectors, which the
// softmax still counts.
func (b builder) expandTime(x string, d Dims) string {
	tokens := (d.ImageSize/d.PatchSize)*(d.ImageSize/d.PatchSize) + 1
	clip := b.add("Reshape", x, b.Int64s("", -1, d.Frames, tokens, d.VisionWidth))
	// One zero frame on either side, then windows of the padded clip.
	padded := b.add("Pad", clip, b.Int64s("", 0, 1, 0, 0, 0, 1, 0, 0))
	next := b.slice(padded, 2, lastOfAxis)
	previous := b.slice(padded, 0, d.Frames)
	all := b.Op("Concat", []string{next, previous, clip}, onnx.Int("axis", 2))
	return b.add("Reshape", all, b.Int64s("", -1, 3*tokens, d.VisionWidth))
}
