package froster

import (
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// quantised are the names of an activation as bytes, its scale and the byte
// that stands for zero.
type quantised struct{ values, scale, zero string }

// quantise brings an activation to unsigned bytes by its range in this run.
// Layers that read the same activation share the work. A run holds one clip, so
// a clip's result does not hang on those beside it.
func (b builder) quantise(x string) quantised {
	q, ok := b.bytes[x]
	if !ok {
		out := b.OpN("DynamicQuantizeLinear", 3, []string{x})
		q = quantised{out[0], out[1], out[2]}
		b.bytes[x] = q
	}
	return q
}

// affineBytes is x·wᵀ + bias with bytes in the product and 32-bit sums.
func (b builder) affineBytes(x, weight string, w checkpoint.Tensor, bias string, v checkpoint.Tensor) string {
	q := b.quantise(x)
	values, scales := quantiseOutputs(w)
	in, out := w.Shape[1], w.Shape[0]
	return b.Contrib("MatMulIntegerToFloat", []string{
		q.values, b.Int8s(weight, values, in, out), q.scale, b.Floats(weight+".scale", scales, out),
		q.zero, "", b.Floats(bias, v.Data, v.Shape...),
	})
}

// quantiseOutputs gives the bytes of a torch Linear's [out, in], as [in, out],
// with the scale of each output: its largest weight becomes 127.
func quantiseOutputs(w checkpoint.Tensor) ([]int8, []float32) {
	out, in := w.Shape[0], w.Shape[1]
	values, scales := make([]int8, len(w.Data)), make([]float32, out)
	for o := range out {
		row, largest := w.Data[o*in:(o+1)*in], float32(0)
		for _, x := range row {
			largest = max(largest, float32(math.Abs(float64(x))))
		}
		if largest == 0 {
			scales[o] = 1 // all zero, whatever the scale
			continue
		}
		scales[o] = largest / math.MaxInt8
		for i, x := range row {
			values[i*out+o] = int8(math.RoundToEven(float64(x / scales[o])))
		}
	}
	return values, scales
}
