package vocab

// Numbers give label names small numbers, so that whoever looks at the same names again
// and again needs no map of them: a name that was seen lately is found by comparing it
// with one other. The zero value is ready. Not safe for concurrent use.
type Numbers struct {
	byName map[string]int32
	lately [256]struct {
		name   string
		number int32
	}
}

// Of returns the name's number: from 0 on, in the order in which names are first seen.
func (n *Numbers) Of(name string) int32 {
	at := &n.lately[slot(name)]
	// Names of one archive file share their bytes, which is seen without comparing these.
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

// slot mixes a name's length and a few of its bytes.
func slot(name string) uint8 {
	n := len(name)
	if n == 0 {
		return 0
	}
	h := uint32(n)
	for _, b := range [...]byte{name[0], name[n/4], name[n/2], name[n*3/4], name[n-1]} {
		h = h*31 + uint32(b)
	}
	return uint8(h ^ h>>8)
}
