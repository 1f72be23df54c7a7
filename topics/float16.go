package topics

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/x448/float16"
)

// Float16Vector is a vector that records hold as base64 of little-endian IEEE 754
// half precision, which is enough for cosine similarity at half the size.
type Float16Vector []float32

// MarshalText returns base64.
func (v Float16Vector) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, AppendFloat16(nil, v)), nil
}

// AppendFloat16 appends a vector in little-endian half precision, two bytes for
// each value.
func AppendFloat16(b []byte, v []float32) []byte {
	for _, f := range v {
		b = binary.LittleEndian.AppendUint16(b, float16.Fromfloat32(f).Bits())
	}
	return b
}

// Float16s is the inverse of AppendFloat16. An odd byte at the end is ignored.
func Float16s(raw []byte) Float16Vector {
	out := make(Float16Vector, len(raw)/2)
	ReadFloat16(out, raw)
	return out
}

// ReadFloat16 fills to with the values of raw, which AppendFloat16 wrote and which
// has at least 2·len(to) bytes. Every value is exactly the one that was written.
func ReadFloat16(to []float32, raw []byte) {
	raw = raw[:2*len(to)]
	for i := widen(to, raw); i < len(to); i++ {
		to[i] = float16.Frombits(binary.LittleEndian.Uint16(raw[2*i:])).Float32()
	}
}

// UnmarshalText parses base64.
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

// RoundFloat16 returns a copy of a vector with the values that a record of it holds.
func RoundFloat16(v []float32) Float16Vector {
	out := make(Float16Vector, len(v))
	for i, f := range v {
		out[i] = float16.Fromfloat32(f).Float32()
	}
	return out
}
