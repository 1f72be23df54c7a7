package froster

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
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
	out, in := w.Shape[0], w.Shape[1]
	return b.Contrib("MatMulIntegerToFloat", []string{
		q.values, b.bytesOf(weight, w), q.scale, b.constant(weight+".scale", w.Map([]int{out}, func(v []float32) []float32 { return scalesOf(v, in) })),
		q.zero, "", b.constant(bias, v),
	})
}

// bytesOf adds a weight [out, in] of a torch Linear as bytes, [in, out].
func (b builder) bytesOf(name string, w checkpoint.Tensor) string {
	out, in := w.Shape[0], w.Shape[1]
	return b.Later(name, onnx.Int8, func() ([]byte, error) {
		v, err := w.Values()
		if err != nil {
			return nil, err
		}
		return onnx.Int8Bytes(quantiseOutputs(v, in)), nil
	}, in, out)
}

// scalesOf are the scales of a weight's outputs, each of which has in values: chosen
// so that the largest becomes 127.
func scalesOf(w []float32, in int) []float32 {
	scales := make([]float32, 0, len(w)/in)
	for row := range slices.Chunk(w, in) {
		largest := float32(0)
		for _, x := range row {
			largest = max(largest, float32(math.Abs(float64(x))))
		}
		if largest == 0 {
			largest = math.MaxInt8 // all weights are zero; any scale would do
		}
		scales = append(scales, largest/math.MaxInt8)
	}
	return scales
}

// quantiseOutputs converts a weight [out, in] to bytes, [in, out].
func quantiseOutputs(w []float32, in int) []int8 {
	values, out := make([]int8, len(w)), len(w)/in
	for o, scale := range scalesOf(w, in) {
		for i, x := range w[o*in : (o+1)*in] {
			values[i*out+o] = int8(math.RoundToEven(float64(x / scale)))
		}
	}
	return values
}
