package froster

import (
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// pool is the attention by which one learned query, the probe, reads all tokens of
// a frame; then an MLP. x is [frames·tokens, width], the result [frames, width].
//
// The query is the same for all pictures, so its product with the keys' layer is worked out
// here: one vector for each head, by which tokens are weighed as they are. The keys'
// bias adds the same to all scores of a head, and so falls out of the softmax. The values'
// layer comes behind the weighted sum, whose weights sum up to one.
func (b builder) pool(x string, d Dims) string {
	const prefix = "visual.attn_pool."
	width, heads := d.VisionWidth, d.PoolHeads
	packed, biases := b.w[prefix+"attn.in_proj_weight"], b.w[prefix+"attn.in_proj_bias"]

	tokens := b.add("Reshape", x, b.Int64s("", -1, d.tokens(), width))
	scores := b.add("MatMul", tokens, b.constant(prefix+"asks", poolAsks(b.w[prefix+"probe"], packed, biases, heads)))
	shares := b.Op("Softmax", []string{scores}, onnx.Int("axis", 1)) // [frames, tokens, heads]
	seen := b.add("MatMul", b.Op("Transpose", []string{shares}, onnx.Ints("perm", 0, 2, 1)), tokens)
	seen = b.add("Reshape", seen, b.Int64s("", -1, heads, 1, width))
	y := b.rows(b.add("MatMul", seen, b.constant(prefix+"values", poolValues(packed, heads))), width)
	y = b.add("Add", y, b.constant(prefix+"values.bias", rowsOf(biases, 2*width, 3*width)))
	y = b.linear(y, prefix+"attn.out_proj.weight", prefix+"attn.out_proj.bias")
	return b.feedForward(y, prefix+"layernorm", prefix+"mlp.")
}

// poolAsks are the vectors by which a head weighs tokens, [width, heads]: the probe's
// query, times the keys' layer, over the square root of the head's width.
func poolAsks(probe, packed, biases checkpoint.Tensor, heads int) checkpoint.Tensor {
	width := packed.Shape[1]
	return checkpoint.Later([]int{width, heads}, func() ([]float32, error) {
		var all [3][]float32
		for i, t := range []checkpoint.Tensor{probe, packed, biases} {
			v, err := t.Values()
			if err != nil {
				return nil, err
			}
			all[i] = v
		}
		p, w, bias := all[0], all[1], all[2]
		asks, each := make([]float64, width*heads), width/heads
		for row := range width {
			query := float64(bias[row])
			for i, v := range p {
				query += float64(v) * float64(w[row*width+i])
			}
			query /= math.Sqrt(float64(each))
			for i, v := range w[(width+row)*width : (width+row+1)*width] {
				asks[i*heads+row/each] += query * float64(v)
			}
		}
		out := make([]float32, len(asks))
		for i, v := range asks {
			out[i] = float32(v)
		}
		return out, nil
	})
}

// poolValues are the values' layer by heads, [heads, width, width/heads].
func poolValues(packed checkpoint.Tensor, heads int) checkpoint.Tensor {
	width := packed.Shape[1]
	each := width / heads
	return rowsOf(packed, 2*width, 3*width).Map([]int{heads, width, each}, func(v []float32) []float32 {
		out := make([]float32, len(v))
		for row := range width {
			for i, x := range v[row*width : (row+1)*width] {
				out[(row/each*width+i)*each+row%each] = x
			}
		}
		return out
	})
}
