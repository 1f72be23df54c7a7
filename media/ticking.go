package media

import "time"

// ticking knows the blocks of a stream's pictures in which a clock that is written into the
// picture counts its seconds. What moves there alone is not taken for something that
// happens, or a camera with a clock would never rest.
//
// Such blocks are few, lie near the upper or the lower edge, and change again and again,
// each of them, while hardly anything else changes in the whole picture. Somebody who moves
// at the edge of the picture changes other blocks from moment to moment.
type ticking struct {
	columns, rows int
	blocks        []tick
	now           time.Duration // counts while looks follow each other closely: what rests does not age
	looked        time.Duration
	ignored       []bool
}

// tick is since when a block changes without a pause, and when it did last; both on
// ticking's own clock, 0 is never. known is that it is a clock's.
type tick struct {
	since, last time.Duration
	known       bool
}

const (
	// tickLong is for how long a block must have changed, never standing still for longer
	// than tickPause: some digits of a clock differ too little from the next to be seen.
	tickLong  = 10 * time.Second
	tickPause = 5 * time.Second
	// tickLook is more than the time between two looks while all pictures are decoded.
	tickLook = 1250 * time.Millisecond
	// tickBand is the part of the picture's rows, at the upper and at the lower edge, in
	// which clocks are: one in tickBand.
	tickBand = 6
	// tickMost bounds the blocks that change for so long. The others that have changed in that
	// time, such as tens of seconds, are tickStray at most, or as many as those.
	tickMost, tickStray = 9, 3
	// tickBefore and tickAfter are the blocks to the left and right of a known one that are
	// passed over with it: tens of seconds stand before the seconds. Minutes are not passed
	// over: they wake the camera for a moment.
	tickBefore, tickAfter = 3, 1
)

// learn takes which blocks have changed from one look to the next, while all pictures are
// decoded.
func (t *ticking) learn(moving []float64, columns int, at time.Duration) {
	if len(moving) != len(t.blocks) || columns != t.columns {
		*t = ticking{columns: columns, rows: len(moving) / max(columns, 1), blocks: make([]tick, len(moving)), ignored: make([]bool, len(moving))}
	}
	t.now += min(max(at-t.looked, 0), tickLook)
	t.looked = at
	for i, v := range moving {
		b := &t.blocks[i]
		if b.since > 0 && t.now-b.last > tickPause {
			b.since, b.known = 0, false
		}
		if v > 0 {
			if b.last = t.now; b.since == 0 {
				b.since = t.now
			}
		}
	}
	t.find()
	t.mark()
}

// find makes those blocks known that change as a clock does.
func (t *ticking) find() {
	var found []int
	stray := 0
	for i, b := range t.blocks {
		switch {
		case b.since > 0 && t.now-b.since >= tickLong && t.atEdge(i/t.columns):
			found = append(found, i)
		case b.last > 0 && t.now-b.last < tickLong:
			stray++
		}
	}
	if len(found) > tickMost || stray > max(tickStray, len(found)) {
		return
	}
	for _, i := range found {
		t.blocks[i].known = true
	}
}

// mark works out which blocks are passed over.
func (t *ticking) mark() {
	clear(t.ignored)
	for i, b := range t.blocks {
		if !b.known {
			continue
		}
		row, x := t.ignored[i/t.columns*t.columns:][:t.columns], i%t.columns
		for u := max(x-tickBefore, 0); u <= min(x+tickAfter, t.columns-1); u++ {
			row[u] = true
		}
	}
}

func (t *ticking) atEdge(row int) bool {
	return min(row, t.rows-1-row) < t.rows/tickBand
}

// any is whether something has moved elsewhere.
func (t *ticking) any(moving []float64) bool {
	for i, v := range moving {
		if v > 0 && (len(t.ignored) != len(moving) || !t.ignored[i]) {
			return true
		}
	}
	return false
}
