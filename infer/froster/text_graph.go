package froster

import (
	"fmt"
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// Names of the text graph's ends.
const (
	inTokens = "tokens"   // int64 [texts, length]
	inEnds   = "ends"     // int64 [texts, 2]: row and position of each end token
	outText  = "features" // float32 [texts, embed], unit
)

// textGraph is CLIP's text transformer. The causal mask makes it exact to cut
// a batch after its longest text.
func textGraph(w weights, d Dims) []byte {
	b := builder{onnx.NewGraph("froster_text"), w}
	tokens := b.Input(inTokens, onnx.Int64, textsDim, lengthDim)
	ends := b.Input(inEnds, onnx.Int64, textsDim, 2)
	length := b.Op("Shape", []string{tokens}, onnx.Int("start", 1), onnx.Int("end", 2))
	zero, first := b.Int64s("", 0), b.Int64s("", 0)

	x := b.Op("Gather", []string{b.tensor("token_embedding.weight"), tokens}, onnx.Int("axis", 0))
	x = b.add("Add", x, b.add("Slice", b.tensor("positional_embedding"), zero, length, first))
	mask := b.add("Slice", b.causalMask(d.Context), b.Int64s("", 0, 0),
		b.Op("Concat", []string{length, length}, onnx.Int("axis", 0)), b.Int64s("", 0, 1))
	for i := range d.TextLayers {
		x = b.textBlock(x, mask, fmt.Sprintf("transformer.resblocks.%d.", i), d)
	}
	x = b.layerNorm(b.add("GatherND", x, ends), "ln_final")
	x = b.add("MatMul", x, b.tensor("text_projection"))
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	b.As(outText, "Div", []string{x, norm})
	b.Output(outText, onnx.Float, textsDim, d.EmbedDim)
	return b.Marshal()
}

func (b builder) textBlock(x, mask, prefix string, d Dims) string {
	h := b.layerNorm(x, prefix+"ln_1")
	q, k, v := b.project(h, prefix, 0, d.TextWidth), b.project(h, prefix, 1, d.TextWidth), b.project(h, prefix, 2, d.TextWidth)
	x = b.add("Add", x, b.attend(q, k, v, mask, prefix, d.TextHeads))
	return b.mlp(x, prefix)
}

// causalMask lets a token see itself and those before it.
func (b builder) causalMask(n int) string {
	m := make([]float32, n*n)
	for row := range n {
		for col := row + 1; col < n; col++ {
			m[row*n+col] = float32(math.Inf(-1))
		}
	}
	return b.Floats("causal_mask", m, n, n)
}
