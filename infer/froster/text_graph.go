package froster

import (
	"fmt"

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
	b := newBuilder("froster_text", w, d, Float32)
	tokens := b.Input(inTokens, onnx.Int64, textsDim, lengthDim)
	ends := b.Input(inEnds, onnx.Int64, textsDim, 2)
	length := b.Op("Shape", []string{tokens}, onnx.Int("start", 1), onnx.Int("end", 2))
	zero := b.Int64s("", 0)
	// The width is of this run's texts: [texts, length, width], from rows.
	shape := b.Op("Concat", []string{b.Int64s("", -1), length, b.Int64s("", d.TextWidth)}, onnx.Int("axis", 0))

	x := b.Op("Gather", []string{b.tensor("token_embedding.weight"), tokens}, onnx.Int("axis", 0))
	x = b.rows(b.add("Add", x, b.add("Slice", b.tensor("positional_embedding"), zero, length, zero)), d.TextWidth)
	for i := range d.TextLayers {
		x = b.textBlock(x, shape, fmt.Sprintf("transformer.resblocks.%d.", i), d)
	}
	x = b.layerNorm(b.add("GatherND", b.add("Reshape", x, shape), ends), "ln_final")
	x = b.add("MatMul", x, b.tensor("text_projection"))
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	b.As(outText, "Div", []string{x, norm})
	b.Output(outText, onnx.Float, textsDim, d.EmbedDim)
	return b.Marshal()
}

func (b builder) textBlock(x, shape, prefix string, d Dims) string {
	h := b.layerNorm(x, prefix+"ln_1")
	part := func(i int) string { return b.add("Reshape", b.project(h, prefix, i, d.TextWidth), shape) }
	x = b.add("Add", x, b.attend(part(0), part(1), part(2), prefix, d.TextHeads, true))
	return b.mlp(x, prefix)
}
