package checkpoint

import (
	"errors"
	"fmt"
	"strings"
)

// UnexpectedError names a Python class or function in a pickle that is not
// needed to rebuild tensors.
type UnexpectedError struct{ Name string }

func (e *UnexpectedError) Error() string {
	return fmt.Sprintf("the checkpoint asks for %.200s, which is not needed to hold tensors; it was not run and the file is refused", e.Name)
}

func refuse(callee any) error {
	if g, ok := callee.(global); ok {
		return &UnexpectedError{Name: g.module + "." + g.name}
	}
	return &UnexpectedError{Name: fmt.Sprintf("a call of %T", callee)}
}

// torchScript reports whether g is a class of a scripted module: such an object
// holds data by name.
func torchScript(g global) bool { return strings.HasPrefix(g.module, "__torch__") }

// call does what the few functions that a checkpoint may name would do.
func call(callee any, args tuple) (any, error) {
	g, ok := callee.(global)
	if !ok {
		return nil, refuse(callee)
	}
	switch g {
	case global{"collections", "OrderedDict"}:
		return &dict{}, nil
	case global{"torch._utils", "_rebuild_tensor_v2"}:
		return rebuildTensor(args)
	case global{"torch._utils", "_rebuild_parameter"}:
		if len(args) > 0 {
			if r, ok := args[0].(reference); ok {
				return r, nil
			}
		}
		return nil, errors.New("parameter without a tensor")
	}
	return nil, refuse(callee)
}

// storageOf reads torch's persistent id: ("storage", class, key, device, size).
func storageOf(id any) (storage, error) {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return storage{}, errors.New("a persistent id that is not a storage")
	}
	class, ok := t[1].(global)
	if !ok {
		return storage{}, errors.New("storage without a class")
	}
	if class.module != "torch" {
		return storage{}, refuse(class)
	}
	k, ok := kindOf(class.name)
	if !ok {
		return storage{}, refuse(class)
	}
	key, ok1 := t[2].(string)
	size, ok2 := t[4].(int)
	if !ok1 || !ok2 || size < 0 || size > maxValues {
		// The message gives the types only: tuples that hold one another twice,
		// nested thirty deep, would print a billion values.
		return storage{}, fmt.Errorf("storage named by %T, of %T values: want a text and at most %d", t[2], t[4], maxValues)
	}
	return storage{kind: k, key: key, size: size}, nil
}

// maxValues bounds one storage: the largest of ViT-L/14 holds 38 million.
const maxValues = 1 << 30

// rebuildTensor takes (storage, offset, shape, stride, ...).
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("tensor from %d values", len(args))
	}
	s, ok1 := args[0].(storage)
	offset, ok2 := args[1].(int)
	shape, ok3 := ints(args[2])
	stride, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, errors.New("tensor with arguments of the wrong types")
	}
	if _, ok := elements(shape); !ok {
		return nil, fmt.Errorf("tensor of shape %v", shape)
	}
	return reference{storage: s, offset: offset, shape: shape, stride: stride}, nil
}

func ints(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > 8 {
		return nil, false
	}
	out := make([]int, len(t))
	for i, x := range t {
		if out[i], ok = x.(int); !ok {
			return nil, false
		}
	}
	return out, true
}

// collect walks dictionaries and objects and calls found with each tensor and
// its dotted name. Depth and number of steps are bounded, because a pickle can
// contain itself.
func collect(v any, found func(string, reference)) error {
	w := walk{found: found, steps: maxSteps}
	return w.visit(v, "", 0)
}

type walk struct {
	found func(string, reference)
	steps int // left
}

func (w *walk) visit(v any, name string, depth int) error {
	if w.steps--; depth > maxDepth || w.steps < 0 {
		return errors.New("the checkpoint is nested too deeply")
	}
	switch v := v.(type) {
	case reference:
		w.found(name, v)
	case *object:
		return w.visit(v.state, name, depth+1)
	case *dict:
		for i, k := range v.keys {
			key, ok := k.(string)
			if !ok {
				continue
			}
			if len(name)+len(key) > maxName {
				return fmt.Errorf("a tensor's name is longer than %d bytes", maxName)
			}
			if name != "" {
				key = name + "." + key
			}
			if err := w.visit(v.values[i], key, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
