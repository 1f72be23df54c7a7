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
	raw := make([]byte, 2*len(v))
	for i, f := range v {
		binary.LittleEndian.PutUint16(raw[2*i:], float16.Fromfloat32(f).Bits())
	}
	return base64.StdEncoding.AppendEncode(nil, raw), nil
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
	out := make(Float16Vector, len(raw)/2)
	for i := range out {
		out[i] = float16.Frombits(binary.LittleEndian.Uint16(raw[2*i:])).Float32()
	}
	*v = out
	return nil
}
