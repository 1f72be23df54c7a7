package vocab

import "unsafe"

// Numbers give label names small numbers, so that whoever looks at the same names again
// and again needs no map of them: a name that was seen lately at the same place in memory, as
// names of one archive file are, is found by comparing it with one other. The zero value is ready. Not safe for concurrent use.
type Numbers struct {
	byName map[string]int32
	lately [512]struct {
		name   string
		number int32
	}
}

// Of returns the name's number: from 0 on, in the order in which names are first seen.
func (n *Numbers) Of(name string) int32 {
	at := &n.lately[slot(name)]
	if at.name == name && name != "" {
		return at.number
	}
	if n.byName == nil {
		n.byName = map[string]int32{}
	}
	number, known := n.byName[name]
	if !known {
		number = int32(len(n.byName))
		n.byName[name] = number
	}
	at.name, at.number = name, number
	return number
}

// Len is how many names have a number.
func (n *Numbers) Len() int { return len(n.byName) }

// slot is where a name may be kept, by where its bytes lie. What is kept there is
// compared, so that any slot will do.
func slot(name string) int {
	at := uint64(uintptr(unsafe.Pointer(unsafe.StringData(name))))
	return int(at * 0x9E3779B97F4A7C15 >> 55) // multiplying spreads addresses over all slots
}
