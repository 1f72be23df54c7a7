package froster

import (
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// builder adds CLIP's parts to a graph under the checkpoint's own names.
type builder struct {
	*onnx.Graph
	w weights
}

// add is a one-output node.
func (b builder) add(op string, inputs ...string) string { return b.Op(op, inputs) }

// tensor is a weight as it is stored.
func (b builder) tensor(name string) string {
	t := b.w[name]
	return b.Floats(name, t.Data, t.Shape...)
}

// transposed is a matrix [out, in] of a torch Linear as [in, out].
func (b builder) transposed(name string) string {
	t := transpose(b.w[name])
	return b.Floats(name, t.Data, t.Shape...)
}

func transpose(t checkpoint.Tensor) checkpoint.Tensor {
	rows, cols := t.Shape[0], t.Shape[1]
	out := make([]float32, len(t.Data))
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = t.Data[r*cols+c]
		}
	}
	return checkpoint.Tensor{Shape: []int{cols, rows}, Data: out}
}

func (b builder) linear(x, weight, bias string) string {
	return b.add("Add", b.add("MatMul", x, b.transposed(weight)), b.tensor(bias))
}

// layerNorm's epsilon is CLIP's.
func (b builder) layerNorm(x, name string) string {
	return b.Op("LayerNormalization", []string{x, b.tensor(name + ".weight"), b.tensor(name + ".bias")},
		onnx.Int("axis", -1), onnx.Scalar("epsilon", 1e-5))
}

// quickGELU is CLIP's activation, x·sigmoid(1.702x).
func (b builder) quickGELU(x string) string {
	return b.add("Mul", x, b.add("Sigmoid", b.add("Mul", x, b.Floats("", []float32{1.702}))))
}

// mlp is the second half of a block, with its residual.
func (b builder) mlp(x, prefix string) string {
	h := b.layerNorm(x, prefix+"ln_2")
	h = b.quickGELU(b.linear(h, prefix+"mlp.c_fc.weight", prefix+"mlp.c_fc.bias"))
	return b.add("Add", x, b.linear(h, prefix+"mlp.c_proj.weight", prefix+"mlp.c_proj.bias"))
}

// project is one of the three projections packed in in_proj: part 0 queries,
// 1 keys, 2 values.
func (b builder) project(x, prefix string, part, width int) string {
	w, bias := b.w[prefix+"attn.in_proj_weight"], b.w[prefix+"attn.in_proj_bias"]
	name := fmt.Sprintf("%sattn.in_proj_%c", prefix, "qkv"[part])
	own := transpose(checkpoint.Tensor{Shape: []int{width, width}, Data: w.Data[part*width*width : (part+1)*width*width]})
	m := b.Floats(name+".weight", own.Data, width, width)
	return b.add("Add", b.add("MatMul", x, m), b.Floats(name+".bias", bias.Data[part*width:(part+1)*width], width))
}

// heads splits [n, tokens, width] into [n, heads, tokens, 64], or for keys into
// [n, heads, 64, tokens].
func (b builder) heads(x string, heads int, keys bool) string {
	order := []int{0, 2, 1, 3}
	if keys {
		order = []int{0, 2, 3, 1}
	}
	split := b.add("Reshape", x, b.Int64s("", 0, 0, heads, headWidth))
	return b.Op("Transpose", []string{split}, onnx.Ints("perm", order...))
}

// attend is softmax(q·k/8 + mask)·v over all heads, then the output projection.
func (b builder) attend(q, k, v, mask, prefix string, heads int) string {
	// 1/sqrt(64) on the queries: the smaller of the two products.
	q = b.add("Mul", b.heads(q, heads, false), b.Floats("", []float32{0.125}))
	scores := b.add("MatMul", q, b.heads(k, heads, true))
	if mask != "" {
		scores = b.add("Add", scores, mask)
	}
	mixed := b.add("MatMul", b.Op("Softmax", []string{scores}, onnx.Int("axis", -1)), b.heads(v, heads, false))
	mixed = b.Op("Transpose", []string{mixed}, onnx.Ints("perm", 0, 2, 1, 3))
	joined := b.add("Reshape", mixed, b.Int64s("", 0, 0, heads*headWidth))
	return b.linear(joined, prefix+"attn.out_proj.weight", prefix+"attn.out_proj.bias")
}

// slice cuts [from, to) of the second axis: tokens, or frames.
func (b builder) slice(x string, from, to int) string {
	return b.add("Slice", x, b.Int64s("", from), b.Int64s("", to), b.Int64s("", 1))
}
