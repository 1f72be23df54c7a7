package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// WithInputType returns the model with another element type for one input. The
// check of a bundle uses it to pass unrounded values where serving passes
// bytes. The rest of the graph can stay, because its first node casts the
// input.
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

// rewrite applies change to each length-delimited field with the given number.
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
