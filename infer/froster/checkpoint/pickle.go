package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Bounds. The pickle of a real checkpoint stays far below all of them.
const (
	maxPickle = 16 << 20 // bytes; the pickle of ViT-L/14 has some 100 KB
	maxDepth  = 64       // how deep containers may be nested in the result
	maxSteps  = 1 << 18  // how many values the walk over the result may visit
	maxStack  = 1 << 20  // values on the stack or in the memo
	maxName   = 512      // bytes of a tensor's dotted name
)

// The values that the interpreter knows, besides string, int, bool, float64 and
// nil.
type (
	list   struct{ items []any }
	tuple  []any
	dict   struct{ keys, values []any }
	global struct{ module, name string }
	mark   struct{}
	// object is an instance of a TorchScript class. Its name and attributes are
	// kept; no code of the class is run.
	object struct{ class, state any }
)

// machine interprets the part of pickle protocol 2 (Python's Lib/pickletools.py
// documents it) that torch.save writes.
type machine struct {
	in    []byte
	at    int
	stack []any
	memo  map[uint32]any
}

// unpickle returns the pickled value. No code is executed: a global is only a
// name, and only the names that rebuild tensors may be called.
func unpickle(b []byte) (any, error) {
	if len(b) > maxPickle {
		return nil, fmt.Errorf("pickle of %d bytes: want at most %d", len(b), maxPickle)
	}
	m := &machine{in: b, memo: map[uint32]any{}}
	for {
		op, err := m.byte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			return m.pop()
		}
		if err := m.step(op); err != nil {
			return nil, fmt.Errorf("pickle instruction %#02x at byte %d: %w", op, m.at-1, err)
		}
		if len(m.stack) > maxStack || len(m.memo) > maxStack {
			return nil, errors.New("pickle needs too large a stack")
		}
	}
}

// step runs one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := m.byte()
		if err == nil && (v < 2 || v > 5) {
			err = fmt.Errorf("protocol %d: want 2 to 5", v)
		}
		return err
	case 'N':
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(op == 0x88)
	case '}':
		return m.push(&dict{})
	case ']':
		return m.push(&list{})
	case ')':
		return m.push(tuple{})
	case '(':
		return m.push(mark{})
	case '0': // POP
		_, err := m.pop()
		return err
	case 'K', 'M', 'J', 0x8a, 'G': // numbers
		return m.number(op)
	case 'X', 'U', 'c', 0x8c, 0x93: // texts and names
		return m.text(op)
	case 'q', 'r', 'h', 'j', 0x94: // memo
		return m.remember(op)
	case 't', 0x85, 0x86, 0x87: // tuples
		return m.tuple(op)
	case 'a', 'e', 's', 'u': // filling lists and dictionaries
		return m.fill(op)
	case 'Q', 'R', 0x81, 'b': // persistent id, REDUCE, NEWOBJ, BUILD
		return m.build(op)
	}
	return errors.New("is not one that a checkpoint needs")
}

func (m *machine) number(op byte) error {
	widths := map[byte]int{'K': 1, 'M': 2, 'J': 4, 'G': 8}
	if op == 0x8a { // LONG1
		n, err := m.byte()
		if err != nil {
			return err
		}
		if n > 8 {
			return fmt.Errorf("integer of %d bytes", n)
		}
		b, err := m.take(int(n))
		if err != nil {
			return err
		}
		v := int64(0)
		for i, d := range b {
			v |= int64(d) << (8 * i)
		}
		if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			v -= 1 << (8 * n)
		}
		return m.push(int(v))
	}
	b, err := m.take(widths[op])
	if err != nil {
		return err
	}
	switch op {
	case 'K':
		return m.push(int(b[0]))
	case 'M':
		return m.push(int(binary.LittleEndian.Uint16(b)))
	case 'J':
		return m.push(int(int32(binary.LittleEndian.Uint32(b))))
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

func (m *machine) text(op byte) error {
	switch op {
	case 'c': // GLOBAL: two lines
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.push(global{module, name})
	case 0x93: // STACK_GLOBAL
		name, err1 := m.pop()
		module, err2 := m.pop()
		n, ok1 := name.(string)
		mod, ok2 := module.(string)
		if err := errors.Join(err1, err2); err != nil || !ok1 || !ok2 {
			return errors.New("a name is not text")
		}
		return m.push(global{mod, n})
	}
	length := 1
	if op == 'X' {
		length = 4
	}
	b, err := m.take(length)
	if err != nil {
		return err
	}
	n := int(b[0])
	if op == 'X' {
		n = int(binary.LittleEndian.Uint32(b))
	}
	s, err := m.take(n)
	if err != nil {
		return err
	}
	return m.push(string(s))
}

func (m *machine) remember(op byte) error {
	var key uint32
	switch op {
	case 'q', 'h':
		b, err := m.byte()
		if err != nil {
			return err
		}
		key = uint32(b)
	case 'r', 'j':
		b, err := m.take(4)
		if err != nil {
			return err
		}
		key = binary.LittleEndian.Uint32(b)
	case 0x94: // MEMOIZE
		key = uint32(len(m.memo))
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return fmt.Errorf("no value is stored in the memo as %d", key)
		}
		return m.push(v)
	}
	if len(m.stack) == 0 {
		return errors.New("no value on the stack to store in the memo")
	}
	m.memo[key] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) tuple(op byte) error {
	var items []any
	var err error
	if op == 't' {
		items, err = m.popToMark()
	} else {
		items, err = m.popN(int(op - 0x84))
	}
	if err != nil {
		return err
	}
	return m.push(tuple(items))
}

func (m *machine) fill(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a':
		items, err = m.popN(1)
	case 's':
		items, err = m.popN(2)
	default:
		items, err = m.popToMark()
	}
	if err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errors.New("no container to fill")
	}
	switch c := m.stack[len(m.stack)-1].(type) {
	case *list:
		c.items = append(c.items, items...)
		return nil
	case *dict:
		return c.add(items)
	}
	return errors.New("the value to fill is not a container")
}

func (d *dict) add(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.keys = append(d.keys, items[i])
		d.values = append(d.values, items[i+1])
	}
	return nil
}

func (m *machine) build(op byte) error {
	if op == 'Q' {
		id, err := m.pop()
		if err != nil {
			return err
		}
		s, err := storageOf(id)
		if err != nil {
			return err
		}
		return m.push(s)
	}
	pair, err := m.popN(2)
	if err != nil {
		return err
	}
	switch op {
	case 'R':
		args, ok := pair[1].(tuple)
		if !ok {
			return errors.New("call without arguments")
		}
		v, err := call(pair[0], args)
		if err != nil {
			return err
		}
		return m.push(v)
	case 0x81: // NEWOBJ
		g, ok := pair[0].(global)
		if !ok || !torchScript(g) {
			return refuse(pair[0])
		}
		return m.push(&object{class: g})
	}
	// BUILD sets the attributes of an object. Those of a dictionary (an
	// OrderedDict's _metadata) say nothing about tensors and are ignored.
	switch o := pair[0].(type) {
	case *object:
		o.state = pair[1]
		return m.push(o)
	case *dict:
		return m.push(o)
	}
	return errors.New("attributes for a value that can't have any")
}
