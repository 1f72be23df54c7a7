package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// The names of the video graph's inputs and outputs.
const (
	inFrames  = "frames"           // uint8 [batch, frames, size, size, 3], RGB
	outClip   = "embedding"        // float32 [batch, embed]: mean of the frames' embeddings, not of length 1
	outFrames = "frame_embeddings" // float32 [batch, frames, embed], of length 1
	batchDim  = "batch"
	textsDim  = "texts"
	lengthDim = "length"
)

// videoGraph is the visual tower: CLIP's, with each block's attention expanded
// over time as in FROSTER's "expand_temporal_view". Between the blocks the
// activations are a matrix, [batch·frames·tokens, width].
func videoGraph(w weights, d Dims, p Precision) *onnx.Graph {
	b := newBuilder("froster_video", w, d, p)
	in := b.Input(inFrames, onnx.Uint8, batchDim, d.Frames, d.ImageSize, d.ImageSize, 3)
	x := b.add("Reshape", b.tower(in, d), b.Int64s("", -1, d.Frames, d.EmbedDim))
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	frames := b.As(outFrames, "Div", []string{x, norm})
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
	x = b.layerNorm(x, "visual.ln_post") // [batch·frames, width]: the class token
	x = b.add("MatMul", x, b.tensor("visual.proj"))
	return b.Op("Cast", []string{x}, onnx.Int("to", int(onnx.Float)))
}

// embedPatches returns [batch·frames, 1+patches, width]: the class token first,
// positions added. The convolution's windows do not overlap, so it is a linear
// layer on patches, which are cut out while they are still bytes.
func (b builder) embedPatches(frames string, d Dims) string {
	grid, patch := d.grid(), d.PatchSize
	x := b.add("Reshape", frames, b.Int64s("", -1, grid, patch, grid, 3*patch))
	x = b.Op("Transpose", []string{x}, onnx.Ints("perm", 0, 1, 3, 2, 4))
	x = b.rows(x, 3*patch*patch)
	x = b.Op("Cast", []string{x}, onnx.Int("to", int(b.real())))
	weight, bias := patchLayer(b.w["visual.conv1.weight"])
	x = b.add("Gemm", x, b.floats("visual.conv1.weight", weight, 3*patch*patch, d.VisionWidth), b.floats("visual.conv1.bias", bias, d.VisionWidth))
	x = b.add("Reshape", x, b.Int64s("", -1, grid*grid, d.VisionWidth))
	count := b.Op("Shape", []string{x}, onnx.Int("start", 0), onnx.Int("end", 1))
	each := b.Op("Concat", []string{count, b.Int64s("", 1, d.VisionWidth)}, onnx.Int("axis", 0))
	class := b.add("Expand", b.floats("visual.class_embedding", b.w["visual.class_embedding"].Data, 1, 1, d.VisionWidth), each)
	return b.add("Add", b.Op("Concat", []string{class, x}, onnx.Int("axis", 1)), b.tensor("visual.positional_embedding"))
}

// patchLayer is the patch convolution and CLIP's normalisation as one linear
// layer for bytes: a matrix [patch·patch·3, width] and a bias. That is possible
// because (x/255-mean)/std only scales and shifts each colour.
func patchLayer(conv checkpoint.Tensor) (weight, bias []float32) {
	width, patch := conv.Shape[0], conv.Shape[2]
	weight, bias = make([]float32, len(conv.Data)), make([]float32, width)
	for o := range width {
		shift := 0.0
		for c := range 3 {
			for at := range patch * patch {
				v := float64(conv.Data[(o*3+c)*patch*patch+at])
				weight[(at*3+c)*width+o] = float32(v / (255 * float64(pixels.Std[c])))
				shift += v * float64(pixels.Mean[c]) / float64(pixels.Std[c])
			}
		}
		bias[o] = float32(-shift)
	}
	return weight, bias
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

// grid is the number of patches along a side.
func (d Dims) grid() int { return d.ImageSize / d.PatchSize }

// tokens is the number of patches of a frame plus its class token.
func (d Dims) tokens() int { return d.grid()*d.grid() + 1 }
