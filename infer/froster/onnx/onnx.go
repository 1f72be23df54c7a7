// Package onnx writes ONNX model files. Field numbers are those of onnx.proto3
// (ONNX IR version 9); only what the graphs of package froster need is here.
package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Type is an ONNX element type (TensorProto.DataType).
type Type int

// Element types.
const (
	Float Type = 1
	Uint8 Type = 2
	Int64 Type = 7
)

const (
	irVersion = 9
	opset     = 20
)

// Graph collects nodes in the order in which they are added, which must be one
// in which they can run.
type Graph struct {
	name           string
	nodes          []byte // encoded fields of GraphProto
	initializers   []byte
	inputs, output []byte
	count          int
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
	g.node(op, name, inputs, outputs, attrs)
	return outputs
}

// As adds a node whose output has the given name: one of the graph's outputs.
func (g *Graph) As(output, op string, inputs []string, attrs ...Attr) string {
	g.node(op, op+"_"+output, inputs, []string{output}, attrs)
	return output
}

func (g *Graph) node(op, name string, inputs, outputs []string, attrs []Attr) {
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
	g.nodes = appendBytes(g.nodes, 1, b)
}

// Floats adds a constant tensor. The shape's product must be the data's length.
func (g *Graph) Floats(name string, data []float32, shape ...int) string {
	raw := make([]byte, 4*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return g.constant(name, Float, raw, shape)
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
	g.initializers = appendBytes(g.initializers, 5, b)
	return name
}

// Input declares an input; a dimension is an int or a string that names a free
// one.
func (g *Graph) Input(name string, t Type, dims ...any) string {
	g.inputs = appendBytes(g.inputs, 11, valueInfo(name, t, dims))
	return name
}

// Output declares an output that a node already has.
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

// Marshal writes the model file.
func (g *Graph) Marshal() []byte {
	size := len(g.nodes) + len(g.initializers) + len(g.inputs) + len(g.output) + len(g.name) + 16
	graph := make([]byte, 0, size)
	graph = append(graph, g.nodes...)
	graph = appendString(graph, 2, g.name)
	graph = append(graph, g.initializers...)
	graph = append(graph, g.inputs...)
	graph = append(graph, g.output...)

	b := make([]byte, 0, size+64)
	b = protowire.AppendTag(b, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, irVersion)
	b = appendString(b, 2, "frostwatch")
	b = appendBytes(b, 7, graph)
	set := appendString(nil, 1, "")
	set = protowire.AppendTag(set, 2, protowire.VarintType)
	set = protowire.AppendVarint(set, opset)
	return appendBytes(b, 8, set)
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

// WithInputType is the model with the element type of one input replaced. It
// serves the check of a bundle, which feeds unrounded values where serving
// feeds bytes; the graph's first node casts either way.
func WithInputType(model []byte, input string, t Type) ([]byte, error) {
	found := false
	out, err := rewrite(model, 7, func(graph []byte) ([]byte, error) {
		return rewrite(graph, 11, func(info []byte) ([]byte, error) {
			if name, err := stringField(info, 1); err != nil || name != input {
				return info, err
			}
			found = true
			return rewrite(info, 2, func(kind []byte) ([]byte, error) {
				return rewrite(kind, 1, func(tensor []byte) ([]byte, error) { return setVarint(tensor, 1, uint64(t)) })
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("the model has no input %q", input)
	}
	return out, nil
}

var errWire = errors.New("not a protobuf message")

// rewrite replaces each length-delimited field of the given number.
func rewrite(b []byte, field protowire.Number, change func([]byte) ([]byte, error)) ([]byte, error) {
	var out []byte
	for len(b) > 0 {
		number, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return nil, errWire
		}
		n := protowire.ConsumeFieldValue(number, kind, b[tag:])
		if n < 0 {
			return nil, errWire
		}
		if number == field && kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b[tag:])
			changed, err := change(v)
			if err != nil {
				return nil, err
			}
			out = appendBytes(out, field, changed)
		} else {
			out = append(out, b[:tag+n]...)
		}
		b = b[tag+n:]
	}
	return out, nil
}

func setVarint(b []byte, field protowire.Number, v uint64) ([]byte, error) {
	out := protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), v)
	for len(b) > 0 {
		number, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return nil, errWire
		}
		n := protowire.ConsumeFieldValue(number, kind, b[tag:])
		if n < 0 {
			return nil, errWire
		}
		if number != field {
			out = append(out, b[:tag+n]...)
		}
		b = b[tag+n:]
	}
	return out, nil
}

func stringField(b []byte, field protowire.Number) (string, error) {
	for len(b) > 0 {
		number, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return "", errWire
		}
		n := protowire.ConsumeFieldValue(number, kind, b[tag:])
		if n < 0 {
			return "", errWire
		}
		if number == field && kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b[tag:])
			return string(v), nil
		}
		b = b[tag+n:]
	}
	return "", nil
}
