package froster

import (
	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// The names of the video graph's inputs and outputs.
const (
	inFrames  = "frames"           // uint8 [batch, frames, size, size, 3], RGB; [batch, size, size, 3] of a framewise model
	outClip   = "embedding"        // float32 [batch, embed]: mean of the frames' embeddings, not of length 1
	outFrames = "frame_embeddings" // float32 [batch, frames, embed], of length 1; [batch, embed] of a framewise model
	batchDim  = "batch"
	textsDim  = "texts"
	lengthDim = "length"
)

// embedPatches returns [batch·frames, tokens, width]: the patches' embeddings, behind the
// class token where there is one, positions added. The convolution's windows do not
// overlap, so it is a linear layer on patches, which are cut out while they are still
// bytes.
func (b builder) embedPatches(frames string, d Dims) string {
	grid, patch := d.grid(), d.PatchSize
	x := b.add("Reshape", frames, b.Int64s("", -1, grid, patch, grid, 3*patch))
	x = b.Op("Transpose", []string{x}, onnx.Ints("perm", 0, 1, 3, 2, 4))
	x = b.rows(x, 3*patch*patch)
	x = b.Op("Cast", []string{x}, onnx.Int("to", int(b.real())))
	weight, bias := patchLayer(b.w["visual.conv1.weight"], d.colours())
	x = b.add("Gemm", x, b.constant("visual.conv1.weight", weight), b.constant("visual.conv1.bias", bias))
	x = b.add("Reshape", x, b.Int64s("", -1, grid*grid, d.VisionWidth))
	if d.classTokens() > 0 {
		count := b.Op("Shape", []string{x}, onnx.Int("start", 0), onnx.Int("end", 1))
		each := b.Op("Concat", []string{count, b.Int64s("", 1, d.VisionWidth)}, onnx.Int("axis", 0))
		class := b.add("Expand", b.constant("visual.class_embedding", reshaped(b.w["visual.class_embedding"], 1, 1, d.VisionWidth)), each)
		x = b.Op("Concat", []string{class, x}, onnx.Int("axis", 1))
	}
	return b.add("Add", x, b.tensor("visual.positional_embedding"))
}

// embedded projects x, a row of the tower's width for each frame, to embeddings in
// float32, not of unit length.
func (b builder) embedded(x string) string {
	return b.Op("Cast", []string{b.add("MatMul", x, b.tensor("visual.proj"))}, onnx.Int("to", int(onnx.Float)))
}

// unit makes frames' embeddings, along the last axis, the output outFrames of length 1.
func (b builder) unit(x string) string {
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	return b.As(outFrames, "Div", []string{x, norm})
}

func reshaped(t checkpoint.Tensor, shape ...int) checkpoint.Tensor {
	return t.Map(shape, func(v []float32) []float32 { return v })
}

// patchLayer is the patch convolution and the normalisation of colours as one linear
// layer for bytes: a matrix [patch·patch·3, width] and a bias. That is possible
// because (x/255-mean)/std only scales and shifts each colour.
func patchLayer(conv checkpoint.Tensor, c colours) (weight, bias checkpoint.Tensor) {
	width, each := conv.Shape[0], conv.Shape[2]*conv.Shape[3]
	weight = conv.Map([]int{3 * each, width}, func(v []float32) []float32 {
		out := make([]float32, len(v))
		for o := range width {
			for ch := range 3 {
				for at := range each {
					out[(at*3+ch)*width+o] = float32(float64(v[(o*3+ch)*each+at]) / (255 * float64(c.std[ch])))
				}
			}
		}
		return out
	})
	bias = conv.Map([]int{width}, func(v []float32) []float32 {
		out := make([]float32, width)
		for o := range width {
			shift := 0.0
			for i, x := range v[o*3*each : (o+1)*3*each] {
				ch := i / each
				shift += float64(x) * float64(c.mean[ch]) / float64(c.std[ch])
			}
			out[o] = float32(-shift)
		}
		return out
	})
	return weight, bias
}

// grid is the number of patches along a side.
func (d Dims) grid() int { return d.ImageSize / d.PatchSize }

// tokens is the number of a frame's tokens: its patches, and the class token.
func (d Dims) tokens() int { return d.grid()*d.grid() + d.classTokens() }
