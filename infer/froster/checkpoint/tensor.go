// Package checkpoint reads the tensors of PyTorch's zip files without executing
// the pickle inside: a small interpreter knows the few instructions and names
// that rebuild tensors, and refuses everything else with an error that names
// it.
package checkpoint

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/x448/float16"
)

// Tensor is a dense array in C order. Values of half precision are widened,
// which is exact.
type Tensor struct {
	Shape []int
	Data  []float32 // of a tensor in memory
	// Half: its values are float16 in the file, as they are in what is computed of them.
	Half bool
	read func() ([]float32, error)
}

// Later is a tensor whose values are read or computed each time that they are asked
// for, so that a checkpoint larger than the memory can be converted.
func Later(shape []int, values func() ([]float32, error)) Tensor {
	return Tensor{Shape: shape, read: values}
}

// Values are the values, in C order. They may be Data itself: don't change them.
func (t Tensor) Values() ([]float32, error) {
	if t.read == nil {
		return t.Data, nil
	}
	return t.read()
}

// Map is a tensor of another shape whose values are computed from t's when they are
// asked for. f must not change what it gets.
func (t Tensor) Map(shape []int, f func([]float32) []float32) Tensor {
	out := Later(shape, func() ([]float32, error) {
		v, err := t.Values()
		if err != nil {
			return nil, err
		}
		return f(v), nil
	})
	out.Half = t.Half
	return out
}

// Until is the same tensor, whose values can't be read any more once ctx has ended: its
// error is ctx's then.
func (t Tensor) Until(ctx context.Context) Tensor {
	out := Later(t.Shape, func() ([]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return t.Values()
	})
	out.Half = t.Half
	return out
}

// maxTensor bounds the values of one tensor, which is in memory as a whole while a model is
// imported: the largest of any model that is supported is the table of tokens of PE-Core G14,
// 49,408 by 1,280, 63 million.
const maxTensor = 1 << 26

// bounded is an error if a tensor has more values than any model's.
func bounded(name string, shape []int) error {
	if n, ok := elements(shape); ok && n <= maxTensor {
		return nil
	}
	return fmt.Errorf("tensor %.200q: shape %v is larger than any of a model that can be imported: want at most %d values (PE-Core G14's largest has 63 million)", name, shape, maxTensor)
}

// half is whether a type of storage is float16.
func (k kind) half() bool { return k.name == "HalfStorage" }

// elements is the product of shape; false if it overflows or a side is
// negative.
func elements(shape []int) (int, bool) {
	n := 1
	for _, s := range shape {
		if s < 0 || s > 0 && n > math.MaxInt32/s {
			return 0, false
		}
		n *= s
	}
	return n, true
}

// kind is a type of storage; a pickle names it by its class.
type kind struct {
	name string
	size int // bytes of one value
	read func([]byte) float32
}

func kindOf(class string) (kind, bool) {
	little := binary.LittleEndian
	switch class {
	case "FloatStorage":
		return kind{class, 4, func(b []byte) float32 { return math.Float32frombits(little.Uint32(b)) }}, true
	case "DoubleStorage":
		return kind{class, 8, func(b []byte) float32 { return float32(math.Float64frombits(little.Uint64(b))) }}, true
	case "HalfStorage":
		return kind{class, 2, func(b []byte) float32 { return float16.Frombits(little.Uint16(b)).Float32() }}, true
	case "BFloat16Storage":
		return kind{class, 2, func(b []byte) float32 { return math.Float32frombits(uint32(little.Uint16(b)) << 16) }}, true
	case "LongStorage":
		return kind{class, 8, func(b []byte) float32 { return float32(int64(little.Uint64(b))) }}, true
	case "IntStorage":
		return kind{class, 4, func(b []byte) float32 { return float32(int32(little.Uint32(b))) }}, true
	case "ShortStorage":
		return kind{class, 2, func(b []byte) float32 { return float32(int16(little.Uint16(b))) }}, true
	case "CharStorage":
		return kind{class, 1, func(b []byte) float32 { return float32(int8(b[0])) }}, true
	case "ByteStorage", "BoolStorage":
		return kind{class, 1, func(b []byte) float32 { return float32(b[0]) }}, true
	}
	return kind{}, false
}

// reference is a tensor as the pickle describes it: a view of a storage.
type reference struct {
	storage storage
	offset  int // values
	shape   []int
	stride  []int // values
}

type storage struct {
	kind kind
	key  string // file in the archive's data folder
	size int    // values
}

// load copies the view's values out of its storage's bytes, of which raw has those from
// value first on.
func (r reference) load(raw []byte, first int) ([]float32, error) {
	n, ok := elements(r.shape)
	if !ok {
		return nil, fmt.Errorf("shape %v is too large", r.shape)
	}
	if err := r.inside(); err != nil {
		return nil, err
	}
	from, to := r.extent()
	if size := r.storage.kind.size; from < first || len(raw) < (to-first)*size {
		return nil, fmt.Errorf("storage %s holds %d bytes, %d values of %s need more", r.storage.key, len(raw), r.storage.size, r.storage.kind.name)
	}
	out := make([]float32, n)
	if r.contiguous() {
		r.storage.kind.readAll(raw[(from-first)*r.storage.kind.size:], out)
		return out, nil
	}
	at := make([]int, len(r.shape))
	source := r.offset - first
	for i := range out {
		out[i] = r.storage.kind.read(raw[source*r.storage.kind.size:])
		for d := len(at) - 1; d >= 0; d-- {
			at[d]++
			source += r.stride[d]
			if at[d] < r.shape[d] {
				break
			}
			source -= at[d] * r.stride[d]
			at[d] = 0
		}
	}
	return out, nil
}

// readAll reads as many values as out has.
func (k kind) readAll(raw []byte, out []float32) {
	if k.name == "FloatStorage" { // nearly all
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		return
	}
	for i := range out {
		out[i] = k.read(raw[i*k.size:])
	}
}

// contiguous is whether the view's values lie one behind the other, in C order.
func (r reference) contiguous() bool {
	want := 1
	for d := len(r.shape) - 1; d >= 0; d-- {
		if r.shape[d] != 1 && r.stride[d] != want {
			return false
		}
		want *= r.shape[d]
	}
	return true
}

// extent is which values of its storage a view that is inside it takes part in: from,
// and before to.
func (r reference) extent() (from, to int) {
	last := r.offset
	for d, s := range r.shape {
		if s == 0 {
			return r.offset, r.offset
		}
		last += (s - 1) * r.stride[d]
	}
	return r.offset, last + 1
}

// inside checks that the farthest value of the view lies in the storage.
func (r reference) inside() error {
	if len(r.stride) != len(r.shape) || r.offset < 0 || r.offset > r.storage.size {
		return fmt.Errorf("%d strides for %d dimensions at offset %d", len(r.stride), len(r.shape), r.offset)
	}
	if slices.Contains(r.shape, 0) {
		return nil
	}
	for _, s := range r.stride {
		if s < 0 || s > math.MaxInt32 {
			return fmt.Errorf("stride %d", s)
		}
	}
	if _, to := r.extent(); to > r.storage.size {
		last := to - 1
		return fmt.Errorf("view of %v at %d reaches value %d of a storage of %d", r.shape, r.offset, last, r.storage.size)
	}
	return nil
}
