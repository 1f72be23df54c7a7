package froster

import (
	"math"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// quantised names three graph values: an activation as bytes, its scale, and
// the byte that represents zero.
type quantised struct{ values, scale, zero string }

// quantise converts an activation to unsigned bytes, using the range of its
// values in this run. Layers that read the same activation share the result. A
// run holds one clip, or one frame of a framewise model, so that its result does not depend
// on others.
func (b builder) quantise(x string) quantised {
	q, ok := b.bytes[x]
	if !ok {
		out := b.OpN("DynamicQuantizeLinear", 3, []string{x})
		q = quantised{out[0], out[1], out[2]}
		b.bytes[x] = q
	}
	return q
}

// affineBytes is x·wᵀ + bias, multiplied in bytes and summed in 32 bits.
func (b builder) affineBytes(x, weight string, w checkpoint.Tensor, bias string, v checkpoint.Tensor) string {
	q := b.quantise(x)
	values, scales := quantiseOutputs(w)
	in, out := w.Shape[1], w.Shape[0]
	return b.Contrib("MatMulIntegerToFloat", []string{
		q.values, b.Int8s(weight, values, in, out), q.scale, b.Floats(weight+".scale", scales, out),
		q.zero, "", b.Floats(bias, v.Data, v.Shape...),
	})
}

// quantiseOutputs converts the weight [out, in] of a torch Linear to bytes,
// [in, out], and returns the scale of each output, chosen so that its largest
// weight becomes 127.
func quantiseOutputs(w checkpoint.Tensor) ([]int8, []float32) {
	out, in := w.Shape[0], w.Shape[1]
	values, scales := make([]int8, len(w.Data)), make([]float32, out)
	for o := range out {
		row, largest := w.Data[o*in:(o+1)*in], float32(0)
		for _, x := range row {
			largest = max(largest, float32(math.Abs(float64(x))))
		}
		if largest == 0 {
			scales[o] = 1 // all weights are zero; any scale would do
			continue
		}
		scales[o] = largest / math.MaxInt8
		for i, x := range row {
			values[i*out+o] = int8(math.RoundToEven(float64(x / scales[o])))
		}
	}
	return values, scales
}
