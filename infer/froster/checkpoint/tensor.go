// Package checkpoint reads the tensors of PyTorch's zip files without executing
// the pickle inside: a small interpreter knows the few instructions and names
// that rebuild tensors, and refuses everything else with an error that names
// it.
package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"
)

// Tensor is a dense array in C order. Values of half precision are widened,
// which is exact.
type Tensor struct {
	Shape []int
	Data  []float32
}

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

// load copies the view's values out of the storage's bytes.
func (r reference) load(raw []byte) (Tensor, error) {
	n, ok := elements(r.shape)
	if !ok {
		return Tensor{}, fmt.Errorf("shape %v is too large", r.shape)
	}
	if len(raw) < r.storage.size*r.storage.kind.size {
		return Tensor{}, fmt.Errorf("storage %s holds %d bytes, %d values of %s need more", r.storage.key, len(raw), r.storage.size, r.storage.kind.name)
	}
	if err := r.inside(); err != nil {
		return Tensor{}, err
	}
	t := Tensor{Shape: r.shape, Data: make([]float32, n)}
	at := make([]int, len(r.shape))
	source := r.offset
	for i := range t.Data {
		t.Data[i] = r.storage.kind.read(raw[source*r.storage.kind.size:])
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
	return t, nil
}

// inside checks that the farthest value of the view lies in the storage.
func (r reference) inside() error {
	if len(r.stride) != len(r.shape) || r.offset < 0 {
		return fmt.Errorf("%d strides for %d dimensions at offset %d", len(r.stride), len(r.shape), r.offset)
	}
	last := r.offset
	for d, s := range r.shape {
		if s == 0 {
			return nil
		}
		if r.stride[d] < 0 || r.stride[d] > math.MaxInt32 {
			return fmt.Errorf("stride %d", r.stride[d])
		}
		last += (s - 1) * r.stride[d]
	}
	if last >= r.storage.size {
		return fmt.Errorf("view of %v at %d reaches value %d of a storage of %d", r.shape, r.offset, last, r.storage.size)
	}
	return nil
}
