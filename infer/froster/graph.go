package froster

import (
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// builder adds the parts that towers share to a graph, under the names of the
// checkpoint. Activations are matrices, [rows, width], so that a linear layer is one
// Gemm. Weights are read when the graph is written, so a failure to read one shows
// there.
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

// constant adds a tensor in the activations' type.
func (b builder) constant(name string, t checkpoint.Tensor) string {
	encode := onnx.FloatBytes
	if b.precision == Float16 {
		encode = onnx.HalfBytes
	}
	return b.Later(name, b.real(), func() ([]byte, error) {
		v, err := t.Values()
		if err != nil {
			return nil, err
		}
		return encode(v), nil
	}, t.Shape...)
}

// tensor adds a weight as the checkpoint stores it.
func (b builder) tensor(name string) string { return b.constant(name, b.w[name]) }

func transpose(t checkpoint.Tensor) checkpoint.Tensor {
	rows, cols := t.Shape[0], t.Shape[1]
	return t.Map([]int{cols, rows}, func(v []float32) []float32 {
		out := make([]float32, len(v))
		for r := range rows {
			for c := range cols {
				out[c*rows+r] = v[r*cols+c]
			}
		}
		return out
	})
}

func scaled(t checkpoint.Tensor, factor float64) checkpoint.Tensor {
	return t.Map(t.Shape, func(v []float32) []float32 {
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = float32(float64(x) * factor)
		}
		return out
	})
}

// rowsOf are the rows [from, to) of a tensor, by its first dimension.
func rowsOf(t checkpoint.Tensor, from, to int) checkpoint.Tensor {
	shape := slices.Clone(t.Shape)
	shape[0] = to - from
	return t.Map(shape, func(v []float32) []float32 {
		each := len(v) / t.Shape[0]
		return v[from*each : to*each]
	})
}

// linear is x·wᵀ + bias, with the weight [out, in] of a torch Linear.
func (b builder) linear(x, weight, bias string) string {
	return b.affine(x, weight, b.w[weight], bias, b.w[bias])
}

// project is one of the three projections that are packed in in_proj. part is 0
// for queries, 1 for keys, 2 for values.
func (b builder) project(x, prefix string, part, width int) string {
	name := prefix + "attn.in_proj_" + string("qkv"[part])
	return b.affine(x, name+".weight", rowsOf(b.w[prefix+"attn.in_proj_weight"], part*width, (part+1)*width),
		name+".bias", rowsOf(b.w[prefix+"attn.in_proj_bias"], part*width, (part+1)*width))
}

func (b builder) affine(x, weight string, w checkpoint.Tensor, bias string, v checkpoint.Tensor) string {
	if b.precision == Int8 {
		return b.affineBytes(x, weight, w, bias, v)
	}
	return b.add("Gemm", x, b.constant(weight, transpose(w)), b.constant(bias, v))
}

// layerNorm uses CLIP's epsilon, which is PE's too.
func (b builder) layerNorm(x, name string) string {
	return b.Op("LayerNormalization", []string{x, b.tensor(name + ".weight"), b.tensor(name + ".bias")},
		onnx.Int("axis", -1), onnx.Scalar("epsilon", 1e-5))
}

// quickGELUFactor is the factor in CLIP's activation, x·sigmoid(1.702x).
const quickGELUFactor = 1.702

// mlp is the second half of a block, with its residual.
func (b builder) mlp(x, prefix string) string { return b.feedForward(x, prefix+"ln_2", prefix+"mlp.") }

// feedForward is x plus the MLP of x normalised. QuickGELU of x is
// z·sigmoid(z)/1.702 with z = 1.702x. Both factors are multiplied into the
// neighbouring layers, because ONNX Runtime computes z·sigmoid(z) in half the
// time.
func (b builder) feedForward(x, norm, mlp string) string {
	h := b.layerNorm(x, norm)
	up, down := mlp+"c_fc", mlp+"c_proj"
	if b.gelu {
		h = b.add("Gelu", b.linear(h, up+".weight", up+".bias"))
		return b.add("Add", x, b.linear(h, down+".weight", down+".bias"))
	}
	h = b.affine(h, up+".weight", scaled(b.w[up+".weight"], quickGELUFactor), up+".bias", scaled(b.w[up+".bias"], quickGELUFactor))
	h = b.Contrib("QuickGelu", []string{h}, onnx.Scalar("alpha", 1))
	return b.add("Add", x, b.affine(h, down+".weight", scaled(b.w[down+".weight"], 1/quickGELUFactor), down+".bias", b.w[down+".bias"]))
}

// attend is softmax(q·k/sqrt(width/heads) + mask)·v over all heads, then the output
// projection; the result is [rows, width]. q is [n, queries, width], k and v are [n,
// keys, width]. mask may be "": then ONNX Runtime never writes the scores to memory.
func (b builder) attend(q, k, v, mask, prefix string, heads int) string {
	inputs := []string{q, k, v}
	if mask != "" {
		inputs = append(inputs, "", "", mask) // no bias, no key padding
	}
	out := prefix + "attn.out_proj"
	mixed := b.rows(b.Contrib("MultiHeadAttention", inputs, onnx.Int("num_heads", heads)), b.w[out+".weight"].Shape[1])
	return b.linear(mixed, out+".weight", out+".bias")
}

// rows reshapes x to [rows, width].
func (b builder) rows(x string, width int) string {
	return b.add("Reshape", x, b.Int64s("", -1, width))
}

// slice cuts [from, to) of the second axis.
func (b builder) slice(x string, from, to int) string {
	return b.add("Slice", x, b.Int64s("", from), b.Int64s("", to), b.Int64s("", 1))
}
