package froster

import (
	"github.com/x448/float16"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// builder adds CLIP's parts to a graph under the names of the checkpoint.
// Activations are matrices, [rows, width], so that a linear layer is one Gemm.
type builder struct {
	*onnx.Graph
	w         weights
	precision Precision
	gelu      bool // the exact GELU in place of QuickGELU
	bytes     map[string]quantised
}

func newBuilder(name string, w weights, d Dims, p Precision) builder {
	return builder{onnx.NewGraph(name), w, p, d.Activation == GELU, map[string]quantised{}}
}

// add adds a node with one output.
func (b builder) add(op string, inputs ...string) string { return b.Op(op, inputs) }

// real is the element type of the activations.
func (b builder) real() onnx.Type {
	if b.precision == Float16 {
		return onnx.Float16
	}
	return onnx.Float
}

// floats adds a constant of the activations' type.
func (b builder) floats(name string, data []float32, shape ...int) string {
	if b.precision != Float16 {
		return b.Floats(name, data, shape...)
	}
	half := make([]uint16, len(data))
	for i, v := range data {
		half[i] = float16.Fromfloat32(v).Bits()
	}
	return b.Halves(name, half, shape...)
}

// tensor adds a weight as the checkpoint stores it.
func (b builder) tensor(name string) string {
	t := b.w[name]
	return b.floats(name, t.Data, t.Shape...)
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

// linear is x·wᵀ + bias, with the weight [out, in] of a torch Linear.
func (b builder) linear(x, weight, bias string) string {
	return b.affine(x, weight, b.w[weight], bias, b.w[bias])
}

// project is one of the three projections that are packed in in_proj. part is 0
// for queries, 1 for keys, 2 for values.
func (b builder) project(x, prefix string, part, width int) string {
	w, bias := b.w[prefix+"attn.in_proj_weight"], b.w[prefix+"attn.in_proj_bias"]
	name := prefix + "attn.in_proj_" + string("qkv"[part])
	return b.affine(x, name+".weight", checkpoint.Tensor{Shape: []int{width, width}, Data: w.Data[part*width*width : (part+1)*width*width]},
		name+".bias", checkpoint.Tensor{Shape: []int{width}, Data: bias.Data[part*width : (part+1)*width]})
}

func (b builder) affine(x, weight string, w checkpoint.Tensor, bias string, v checkpoint.Tensor) string {
	if b.precision == Int8 {
		return b.affineBytes(x, weight, w, bias, v)
	}
	m := transpose(w)
	return b.add("Gemm", x, b.floats(weight, m.Data, m.Shape...), b.floats(bias, v.Data, v.Shape...))
}

// layerNorm uses CLIP's epsilon.
func (b builder) layerNorm(x, name string) string {
	return b.Op("LayerNormalization", []string{x, b.tensor(name + ".weight"), b.tensor(name + ".bias")},
		onnx.Int("axis", -1), onnx.Scalar("epsilon", 1e-5))
}

// quickGELUFactor is the factor in CLIP's activation, x·sigmoid(1.702x).
const quickGELUFactor = 1.702

// mlp is the second half of a block, with its residual. QuickGELU of x is
// z·sigmoid(z)/1.702 with z = 1.702x. Both factors are multiplied into the
// neighbouring layers, because ONNX Runtime computes z·sigmoid(z) in half the
// time.
func (b builder) mlp(x, prefix string) string {
	h := b.layerNorm(x, prefix+"ln_2")
	up, down := prefix+"mlp.c_fc", prefix+"mlp.c_proj"
	if b.gelu {
		h = b.add("Gelu", b.linear(h, up+".weight", up+".bias"))
		return b.add("Add", x, b.linear(h, down+".weight", down+".bias"))
	}
	h = b.affine(h, up+".weight", scaled(b.w[up+".weight"], quickGELUFactor), up+".bias", scaled(b.w[up+".bias"], quickGELUFactor))
	h = b.Contrib("QuickGelu", []string{h}, onnx.Scalar("alpha", 1))
	return b.add("Add", x, b.affine(h, down+".weight", scaled(b.w[down+".weight"], 1/quickGELUFactor), down+".bias", b.w[down+".bias"]))
}

func scaled(t checkpoint.Tensor, factor float64) checkpoint.Tensor {
	out := make([]float32, len(t.Data))
	for i, v := range t.Data {
		out[i] = float32(float64(v) * factor)
	}
	return checkpoint.Tensor{Shape: t.Shape, Data: out}
}

// attend is softmax(q·k/8 + mask)·v over all heads, then the output projection;
// the result is [rows, width]. q is [n, queries, width], k and v are [n, keys,
// width]. mask may be "": then ONNX Runtime never writes the scores to memory.
func (b builder) attend(q, k, v, mask, prefix string, heads int) string {
	inputs := []string{q, k, v}
	if mask != "" {
		inputs = append(inputs, "", "", mask) // no bias, no key padding
	}
	mixed := b.rows(b.Contrib("MultiHeadAttention", inputs, onnx.Int("num_heads", heads)), heads*headWidth)
	return b.linear(mixed, prefix+"attn.out_proj.weight", prefix+"attn.out_proj.bias")
}

// rows reshapes x to [rows, width].
func (b builder) rows(x string, width int) string {
	return b.add("Reshape", x, b.Int64s("", -1, width))
}

// slice cuts [from, to) of the second axis.
func (b builder) slice(x string, from, to int) string {
	return b.add("Slice", x, b.Int64s("", from), b.Int64s("", to), b.Int64s("", 1))
}
