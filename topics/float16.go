package topics

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/x448/float16"
)

// Float16Vector is a float32 vector that travels as base64 of little-endian
// IEEE 754 half precision: enough for cosine similarity at half the size.
type Float16Vector []float32

// MarshalText writes base64.
func (v Float16Vector) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, AppendFloat16(nil, v)), nil
}

// AppendFloat16 appends a vector as little-endian half precision, two bytes a
// value.
func AppendFloat16(b []byte, v []float32) []byte {
	for _, f := range v {
		b = binary.LittleEndian.AppendUint16(b, float16.Fromfloat32(f).Bits())
	}
	return b
}

// Float16s is the vector of what AppendFloat16 wrote; an odd byte at the end is
// passed over.
func Float16s(raw []byte) Float16Vector {
	out := make(Float16Vector, len(raw)/2)
	for i := range out {
		out[i] = float16.Frombits(binary.LittleEndian.Uint16(raw[2*i:])).Float32()
	}
	return out
}

// UnmarshalText reads base64.
func (v *Float16Vector) UnmarshalText(b []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, b)
	if err != nil {
		return fmt.Errorf("decode float16 vector: %w", err)
	}
	if len(raw)%2 != 0 {
		return fmt.Errorf("decode float16 vector: odd length %d", len(raw))
	}
	*v = Float16s(raw)
	return nil
}
