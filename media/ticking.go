package media

import "time"

// ticking knows the blocks of a stream's pictures in which something changes without end
// while the rest may be still: a clock that is written into the picture. What moves there
// alone is not taken for something that happens, or a camera with a clock would never
// rest.
//
// Such blocks are few, lie near the upper or the lower edge, and have changed again and
// again for tickLong. With them go those beside them: the minutes of a clock stand where
// its seconds do.
type ticking struct {
	columns, rows int
	blocks        []tick
	now           time.Duration // counts while looks follow each other closely: what rests does not age
	looked        time.Duration
	ignored       []bool
}

// tick is since when a block changes without a pause, and when it did last; both on
// ticking's own clock, 0 is never.
type tick struct{ since, last time.Duration }

const (
	// tickLong is for how long a block must have changed, never standing still for longer
	// than tickPause: a clock's seconds are seen to change at each other look at least.
	tickLong  = 8 * time.Second
	tickPause = 2500 * time.Millisecond
	// tickBand is the part of the picture's rows, at the upper and at the lower edge, in
	// which clocks are: one in tickBand.
	tickBand = 6
	// tickMost bounds the blocks that change: one in tickMost of all. More are no clock.
	tickMost = 96
	// tickBeside are the blocks to the left and right of one that changes that are passed
	// over with it, and tickAbove those above and below.
	tickBeside, tickAbove = 8, 1
)

// learn takes which blocks have changed from one look to the next, while all pictures are
// decoded.
func (t *ticking) learn(moving []float64, columns int, at time.Duration) {
	if len(moving) != len(t.blocks) || columns != t.columns {
		*t = ticking{columns: columns, rows: len(moving) / max(columns, 1), blocks: make([]tick, len(moving)), ignored: make([]bool, len(moving))}
	}
	t.now += min(max(at-t.looked, 0), tickPause/2)
	t.looked = at
	for i, v := range moving {
		b := &t.blocks[i]
		if b.last > 0 && t.now-b.last > tickPause {
			*b = tick{}
		}
		if v > 0 {
			if b.last = t.now; b.since == 0 {
				b.since = t.now
			}
		}
	}
	t.mark()
}

// mark works out which blocks are passed over.
func (t *ticking) mark() {
	clear(t.ignored)
	var found []int
	for i, b := range t.blocks {
		if b.since > 0 && t.now-b.since >= tickLong && t.atEdge(i/t.columns) {
			found = append(found, i)
		}
	}
	if tickMost*len(found) > len(t.blocks) {
		return
	}
	for _, i := range found {
		x, y := i%t.columns, i/t.columns
		for v := max(y-tickAbove, 0); v <= min(y+tickAbove, t.rows-1); v++ {
			for u := max(x-tickBeside, 0); u <= min(x+tickBeside, t.columns-1) && t.atEdge(v); u++ {
				t.ignored[v*t.columns+u] = true
			}
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
