package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Floats adds a constant tensor. The product of shape must be the length of
// data.
func (g *Graph) Floats(name string, data []float32, shape ...int) string {
	raw := make([]byte, 4*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return g.constant(name, Float, raw, shape)
}

// Halves adds a constant tensor of IEEE 754 binary16 values, given as their
// bits.
func (g *Graph) Halves(name string, data []uint16, shape ...int) string {
	raw := make([]byte, 2*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint16(raw[2*i:], v)
	}
	return g.constant(name, Float16, raw, shape)
}

// Int8s adds a constant tensor of signed bytes.
func (g *Graph) Int8s(name string, data []int8, shape ...int) string {
	raw := make([]byte, len(data))
	for i, v := range data {
		raw[i] = byte(v)
	}
	return g.constant(name, Int8, raw, shape)
}

// Int64s adds a constant vector of integers.
func (g *Graph) Int64s(name string, data ...int) string {
	raw := make([]byte, 8*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint64(raw[8*i:], uint64(int64(v)))
	}
	return g.constant(name, Int64, raw, []int{len(data)})
}

func (g *Graph) constant(name string, t Type, raw []byte, shape []int) string {
	if name == "" {
		g.count++
		name = fmt.Sprintf("const_%d", g.count)
	}
	var b []byte
	for _, d := range shape {
		b = protowire.AppendTag(b, 1, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(d))
	}
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(t))
	b = appendString(b, 8, name)
	b = appendBytes(b, 9, raw)
	g.initializers = append(g.initializers, appendBytes(nil, 5, b))
	return name
}
