package topics

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
)

// Float16Vector is a float32 vector that travels as base64 of little-endian
// IEEE 754 half precision: enough for cosine similarity at half the size.
type Float16Vector []float32

// MarshalText writes base64.
func (v Float16Vector) MarshalText() ([]byte, error) {
	raw := make([]byte, 2*len(v))
	for i, f := range v {
		binary.LittleEndian.PutUint16(raw[2*i:], float16Bits(f))
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
		out[i] = float16Value(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	*v = out
	return nil
}

// float16Bits rounds to nearest even, overflowing to infinity.
func float16Bits(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	exp := int(b>>23) & 0xff
	frac := b & 0x7fffff
	switch e := exp - 127 + 15; {
	case exp == 0xff && frac != 0:
		return sign | 0x7e00
	case e >= 31:
		return sign | 0x7c00
	case e <= 0:
		if e < -10 {
			return sign
		}
		return sign | uint16(roundShift(frac|0x800000, uint(14-e)))
	default:
		// A carry out of the fraction rightly moves into the exponent.
		return sign | uint16(uint32(e)<<10+roundShift(frac, 13))
	}
}

// roundShift is v>>n rounded to nearest even.
func roundShift(v uint32, n uint) uint32 {
	q, rest, half := v>>n, v&(1<<n-1), uint32(1)<<(n-1)
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	return q
}

func float16Value(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1f, uint32(h&0x3ff)
	switch exp {
	case 0:
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}
