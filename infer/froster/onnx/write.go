package onnx

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// pageSize is what values in a file of their own are aligned to, so that they can
	// be mapped into memory.
	pageSize = 4096
	// leastApart is the size from which on a constant's values are put into that file.
	// Smaller ones stay in the model: shapes must be read while a graph is loaded.
	leastApart = 1 << 10
)

// Size is how many bytes the constants have. A model file can't have 2 GiB or more:
// then their values need a file of their own.
func (g *Graph) Size() (total int64) {
	for _, c := range g.constants {
		total += c.size
	}
	return total
}

// Marshal returns the encoded model file.
func (g *Graph) Marshal() ([]byte, error) {
	var b bytes.Buffer
	err := g.Write(&b, nil, "")
	return b.Bytes(), err
}

// Write writes the model file. Only one constant's values are in memory at a time.
// Unless data is nil, the larger constants' values are written to it, and the model
// says that they are in the file of that name beside it.
func (g *Graph) Write(model, data io.Writer, name string) error {
	written := make([][]byte, len(g.constants)) // fields of TensorProto, but for values in the model
	inside, size, at := make([]int64, len(g.constants)), int64(0), int64(0)
	for i, c := range g.constants {
		written[i] = c.about
		if data != nil && c.size >= leastApart {
			at = (at + pageSize - 1) / pageSize * pageSize
			written[i] = append(bytes.Clone(c.about), apart(name, at, c.size)...)
			at += c.size
			size += fieldSize(5, int64(len(written[i])))
			continue
		}
		inside[i] = fieldSize(9, c.size)
		size += fieldSize(5, int64(len(written[i]))+inside[i])
	}
	graphName := appendString(nil, 2, g.name)
	size += int64(len(g.nodes) + len(graphName) + len(g.inputs) + len(g.output))
	out := &stickyWriter{w: model}
	out.write(modelHead(size), g.nodes, graphName)
	beside := &stickyWriter{w: data}
	for i, c := range g.constants {
		out.write(fieldHead(5, int64(len(written[i]))+inside[i]), written[i])
		to := beside
		if inside[i] > 0 {
			out.write(fieldHead(9, c.size))
			to = out
		} else {
			beside.write(make([]byte, (pageSize-beside.n%pageSize)%pageSize))
		}
		if err := c.writeTo(to); err != nil {
			return err
		}
	}
	out.write(g.inputs, g.output, g.modelTail())
	if out.err != nil {
		return out.err
	}
	return beside.err
}

func (c constant) writeTo(w *stickyWriter) error {
	raw, err := c.bytes()
	if err != nil {
		return fmt.Errorf("write %s: %w", c.name, err)
	}
	if int64(len(raw)) != c.size {
		return fmt.Errorf("write %s: %d bytes, its shape needs %d", c.name, len(raw), c.size)
	}
	w.write(raw)
	return w.err
}

// apart are the fields of TensorProto that say where in another file its values are.
func apart(file string, at, size int64) (b []byte) {
	for _, entry := range [][2]string{{"location", file}, {"offset", strconv.FormatInt(at, 10)}, {"length", strconv.FormatInt(size, 10)}} {
		b = appendBytes(b, 13, appendString(appendString(nil, 1, entry[0]), 2, entry[1]))
	}
	b = protowire.AppendTag(b, 14, protowire.VarintType)
	return protowire.AppendVarint(b, 1) // EXTERNAL
}

func modelHead(graph int64) []byte {
	head := protowire.AppendTag(nil, 1, protowire.VarintType)
	head = protowire.AppendVarint(head, irVersion)
	head = appendString(head, 2, "frostwatch")
	return append(head, fieldHead(7, graph)...)
}

func (g *Graph) modelTail() []byte {
	tail := appendBytes(nil, 8, operatorSet("", opset))
	if g.microsoft {
		tail = appendBytes(tail, 8, operatorSet(Microsoft, 1))
	}
	return tail
}

// fieldHead is what comes before size bytes of a length-delimited field.
func fieldHead(field protowire.Number, size int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(size))
}

func fieldSize(field protowire.Number, size int64) int64 {
	return int64(len(fieldHead(field, size))) + size
}

// stickyWriter counts what it writes and keeps the first error.
type stickyWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (s *stickyWriter) write(parts ...[]byte) {
	for _, part := range parts {
		if s.err != nil || len(part) == 0 {
			continue
		}
		var n int
		n, s.err = s.w.Write(part)
		s.n += int64(n)
	}
}
