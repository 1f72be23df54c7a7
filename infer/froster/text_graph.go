package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// The names of the text graph's inputs and outputs. A run continues prefixes
// that were run before: because of the causal mask, what is computed for a
// prefix does not depend on what follows, so its keys and values can be used
// for every text that begins with it.
const (
	inTokens    = "tokens"    // int64 [texts, length]: what follows the prefix
	inPositions = "positions" // int64 [length]: the tokens' positions in the whole text
	inEnds      = "ends"      // int64 [texts, 2]: row and column of each end token in tokens
	inMask      = "mask"      // float32 [1, 1, length, prefix+length], added to the scores
	inTable     = "table"     // float32 [2·layers, prefixes, prefix, width]: keys and values
	inPrefixes  = "prefixes"  // int64 [texts]: the index of each text's prefix in the table
	inKeep      = "keep"      // int64 [1]: for how many texts keys and values are wanted, at least 1
	outText     = "features"  // float32 [texts, embed], of length 1
	outStates   = "states"    // float32 [2·layers, keep, length, width]
)

// textGraph is CLIP's text transformer.
func textGraph(w weights, d Dims) *onnx.Graph {
	b := newBuilder("froster_text", w, d, Float32)
	tokens := b.Input(inTokens, onnx.Int64, textsDim, lengthDim)
	positions := b.Input(inPositions, onnx.Int64, lengthDim)
	ends := b.Input(inEnds, onnx.Int64, textsDim, 2)
	b.Input(inMask, onnx.Float, 1, 1, lengthDim, "seen")
	b.Input(inTable, onnx.Float, 2*d.TextLayers, "table", "prefix", d.TextWidth)
	b.Input(inPrefixes, onnx.Int64, textsDim)
	b.Input(inKeep, onnx.Int64, 1)
	length := b.Op("Shape", []string{tokens}, onnx.Int("start", 1), onnx.Int("end", 2))
	// The shape by which rows become [texts, length, width].
	shape := b.Op("Concat", []string{b.Int64s("", -1), length, b.Int64s("", d.TextWidth)}, onnx.Int("axis", 0))

	x := b.Op("Gather", []string{b.tensor("token_embedding.weight"), tokens}, onnx.Int("axis", 0))
	x = b.add("Add", x, b.Op("Gather", []string{b.tensor("positional_embedding"), positions}, onnx.Int("axis", 0)))
	x = b.rows(x, d.TextWidth)
	var states []string
	for i := range d.TextLayers {
		x, states = b.textBlock(x, shape, i, d, states)
	}
	b.As(outStates, "Concat", states, onnx.Int("axis", 0))
	x = b.layerNorm(b.add("GatherND", b.add("Reshape", x, shape), ends), "ln_final")
	x = b.add("MatMul", x, b.tensor("text_projection"))
	norm := b.Op("ReduceL2", []string{x, b.Int64s("", -1)}, onnx.Int("keepdims", 1))
	b.As(outText, "Div", []string{x, norm})
	b.Output(outText, onnx.Float, textsDim, d.EmbedDim)
	b.Output(outStates, onnx.Float, 2*d.TextLayers, "kept", lengthDim, d.TextWidth)
	return b.Graph
}

// textBlock is one block of the transformer. It appends its keys and values to
// states.
func (b builder) textBlock(x, shape string, layer int, d Dims, states []string) (string, []string) {
	prefix := fmt.Sprintf("transformer.resblocks.%d.", layer)
	h := b.layerNorm(x, prefix+"ln_1")
	part := func(i int) string { return b.add("Reshape", b.project(h, prefix, i, d.TextWidth), shape) }
	q, k, v := part(0), part(1), part(2)
	keep := func(x string) string {
		return b.add("Unsqueeze", b.add("Slice", x, b.Int64s("", 0), inKeep), b.Int64s("", 0))
	}
	states = append(states, keep(k), keep(v))
	x = b.add("Add", x, b.attend(q, b.continued(k, 2*layer), b.continued(v, 2*layer+1), inMask, prefix, d.TextHeads))
	return b.mlp(x, prefix), states
}

// continued puts each text's prefix, from one layer of the table, in front of
// x, [texts, length, width].
func (b builder) continued(x string, layer int) string {
	table := b.rank3(b.Op("Gather", []string{inTable, b.Int64s("", layer)}, onnx.Int("axis", 0)))
	return b.Op("Concat", []string{b.Op("Gather", []string{table, inPrefixes}, onnx.Int("axis", 0)), x}, onnx.Int("axis", 1))
}

// rank3 removes a first axis of length 1.
func (b builder) rank3(x string) string { return b.add("Squeeze", x, b.Int64s("", 0)) }
