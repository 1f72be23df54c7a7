package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/x448/float16"
)

// constant is a tensor of a graph, without its values: they are asked for when the
// model is written, one constant after the other.
type constant struct {
	name  string
	about []byte // encoded fields of TensorProto
	size  int64  // bytes of its values
	bytes func() ([]byte, error)
}

// Later adds a constant tensor whose bytes, little-endian and in C order, are asked
// for when the model is written.
func (g *Graph) Later(name string, t Type, bytes func() ([]byte, error), shape ...int) string {
	if name == "" {
		g.count++
		name = fmt.Sprintf("const_%d", g.count)
	}
	c := constant{name: name, size: t.size(), bytes: bytes}
	for _, d := range shape {
		c.about = protowire.AppendTag(c.about, 1, protowire.VarintType)
		c.about = protowire.AppendVarint(c.about, uint64(d))
		c.size *= int64(d)
	}
	c.about = protowire.AppendTag(c.about, 2, protowire.VarintType)
	c.about = protowire.AppendVarint(c.about, uint64(t))
	c.about = appendString(c.about, 8, name)
	g.constants = append(g.constants, c)
	return name
}

// size is how many bytes a value has.
func (t Type) size() int64 {
	switch t {
	case Float:
		return 4
	case Float16:
		return 2
	case Int64:
		return 8
	}
	return 1
}

// Floats adds a constant tensor that is in memory. The product of shape must be the
// length of data.
func (g *Graph) Floats(name string, data []float32, shape ...int) string {
	return g.Later(name, Float, func() ([]byte, error) { return FloatBytes(data), nil }, shape...)
}

// Int64s adds a constant vector of integers.
func (g *Graph) Int64s(name string, data ...int) string {
	return g.Later(name, Int64, func() ([]byte, error) {
		raw := make([]byte, 8*len(data))
		for i, v := range data {
			binary.LittleEndian.PutUint64(raw[8*i:], uint64(int64(v)))
		}
		return raw, nil
	}, len(data))
}

// FloatBytes are the bytes of values of type Float.
func FloatBytes(data []float32) []byte {
	raw := make([]byte, 4*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}

// HalfBytes are the bytes of values rounded to type Float16.
func HalfBytes(data []float32) []byte {
	raw := make([]byte, 2*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint16(raw[2*i:], float16.Fromfloat32(v).Bits())
	}
	return raw
}

// Int8Bytes are the bytes of values of type Int8.
func Int8Bytes(data []int8) []byte {
	raw := make([]byte, len(data))
	for i, v := range data {
		raw[i] = byte(v)
	}
	return raw
}
