// Package onnx writes ONNX model files. Field numbers are those of onnx.proto3
// (ONNX IR version 9). It covers only what the graphs of package froster need.
package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Type is an ONNX element type (TensorProto.DataType).
type Type int

// The element types.
const (
	Float   Type = 1
	Uint8   Type = 2
	Int8    Type = 3
	Int64   Type = 7
	Float16 Type = 10
)

const (
	irVersion = 9
	opset     = 20
)

// Microsoft is the domain of the operators that ONNX Runtime adds to ONNX
// (docs/ContribOperators.md of its source).
const Microsoft = "com.microsoft"

// Graph collects nodes. They must be added in an order in which they can run.
type Graph struct {
	name           string
	nodes          []byte // encoded fields of GraphProto
	constants      []constant
	inputs, output []byte
	count          int
	microsoft      bool // whether a node of the domain Microsoft was added
}

// NewGraph starts an empty graph.
func NewGraph(name string) *Graph { return &Graph{name: name} }

// Attr is an attribute of a node, encoded.
type Attr []byte

// Int is an integer attribute.
func Int(name string, v int) Attr {
	b := attr(name, 2)
	b = protowire.AppendTag(b, 3, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(int64(v)))
}

// Ints is an attribute of several integers.
func Ints(name string, vs ...int) Attr {
	b := attr(name, 7)
	for _, v := range vs {
		b = protowire.AppendTag(b, 8, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(int64(v)))
	}
	return b
}

// Scalar is a float attribute.
func Scalar(name string, v float32) Attr {
	b := attr(name, 1)
	b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, math.Float32bits(v))
}

func attr(name string, kind uint64) Attr {
	b := appendString(nil, 1, name)
	b = protowire.AppendTag(b, 20, protowire.VarintType)
	return protowire.AppendVarint(b, kind)
}

// Op adds a node with one output and returns the output's name.
func (g *Graph) Op(op string, inputs []string, attrs ...Attr) string {
	return g.OpN(op, 1, inputs, attrs...)[0]
}

// OpN adds a node with n outputs.
func (g *Graph) OpN(op string, n int, inputs []string, attrs ...Attr) []string {
	g.count++
	name := fmt.Sprintf("%s_%d", op, g.count)
	outputs := make([]string, n)
	for i := range outputs {
		outputs[i] = name
		if n > 1 {
			outputs[i] = fmt.Sprintf("%s_%d", name, i)
		}
	}
	g.node("", op, name, inputs, outputs, attrs)
	return outputs
}

// Contrib adds a node of the domain Microsoft with one output and returns the
// output's name. An input named "" is left out.
func (g *Graph) Contrib(op string, inputs []string, attrs ...Attr) string {
	g.count++
	g.microsoft = true
	name := fmt.Sprintf("%s_%d", op, g.count)
	g.node(Microsoft, op, name, inputs, []string{name}, attrs)
	return name
}

// As adds a node whose output has the given name; used for outputs of the
// graph.
func (g *Graph) As(output, op string, inputs []string, attrs ...Attr) string {
	g.node("", op, op+"_"+output, inputs, []string{output}, attrs)
	return output
}

func (g *Graph) node(domain, op, name string, inputs, outputs []string, attrs []Attr) {
	var b []byte
	for _, in := range inputs {
		b = appendString(b, 1, in)
	}
	for _, out := range outputs {
		b = appendString(b, 2, out)
	}
	b = appendString(b, 3, name)
	b = appendString(b, 4, op)
	for _, a := range attrs {
		b = appendBytes(b, 5, a)
	}
	if domain != "" {
		b = appendString(b, 7, domain)
	}
	g.nodes = appendBytes(g.nodes, 1, b)
}

// Input declares an input. Each of dims is an int, or a string that names a
// dimension of any size.
func (g *Graph) Input(name string, t Type, dims ...any) string {
	g.inputs = appendBytes(g.inputs, 11, valueInfo(name, t, dims))
	return name
}

// Output declares as an output of the graph what a node was given as its name.
func (g *Graph) Output(name string, t Type, dims ...any) {
	g.output = appendBytes(g.output, 12, valueInfo(name, t, dims))
}

func valueInfo(name string, t Type, dims []any) []byte {
	var shape []byte
	for _, d := range dims {
		var dim []byte
		switch d := d.(type) {
		case int:
			dim = protowire.AppendTag(dim, 1, protowire.VarintType)
			dim = protowire.AppendVarint(dim, uint64(d))
		case string:
			dim = appendString(dim, 2, d)
		}
		shape = appendBytes(shape, 1, dim)
	}
	tensor := protowire.AppendTag(nil, 1, protowire.VarintType)
	tensor = protowire.AppendVarint(tensor, uint64(t))
	tensor = appendBytes(tensor, 2, shape)
	b := appendString(nil, 1, name)
	return appendBytes(b, 2, appendBytes(nil, 1, tensor))
}

func operatorSet(domain string, version uint64) []byte {
	b := appendString(nil, 1, domain)
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	return protowire.AppendVarint(b, version)
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}
