package framer

import (
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// motion is where something moves in a clip, by blocks of the picture.
type motion struct {
	columns, rows int
	strength      []float64 // of each block, in rows; 0: nothing moves there
	whole         bool      // it is the picture that has changed
}

const (
	// strongest bounds what one pair of pictures adds to a block: what is bright does not
	// move more than what is dark.
	strongest = 4
	// everywhere is the share of the picture's blocks from which on it is the picture that
	// has changed: the camera turned, or somebody put the light on.
	everywhere = 0.6
	// near is how many blocks apart, at most, the parts of one thing are: somebody who walks
	// leaves a gap between two pictures.
	near = 5
)

// motionOf compares each picture of a clip with the one before it. All are of one size.
func motionOf(stills []*media.Still) (m motion) {
	for i, s := range stills[1:] {
		before := stills[i]
		if s == before || s.Columns == 0 {
			continue
		}
		if m.strength == nil {
			m.columns, m.rows = s.Columns/media.BlockPoints, len(s.Points)/s.Columns/media.BlockPoints
			m.strength = make([]float64, m.columns*m.rows)
		}
		m.add(before, s)
	}
	moving := 0
	for _, s := range m.strength {
		if s > 0 {
			moving++
		}
	}
	m.whole = float64(moving) > everywhere*float64(len(m.strength))
	return m
}

// within is what moves in the blocks that an area of the picture touches.
func (m *motion) within(area topics.Polygon) motion {
	out := motion{columns: m.columns, rows: m.rows, whole: m.whole, strength: make([]float64, len(m.strength))}
	for b, in := range media.Touched(area, m.columns, m.rows) {
		if in {
			out.strength[b] = m.strength[b]
		}
	}
	return out
}

// add adds how two pictures differ.
func (m *motion) add(before, after *media.Still) {
	for b, d := range media.Moving(before.Points, after.Points, after.Columns) {
		m.strength[b] += min(d, strongest)
	}
}

// area is a rectangle of blocks, from the first on and before the end.
type area struct{ left, top, right, bottom int }

func (a area) with(x, y int) area {
	return area{min(a.left, x), min(a.top, y), max(a.right, x+1), max(a.bottom, y+1)}
}

// most is the rectangle around what moves most: the blocks that move and are near to
// each other, of which there may be several groups. ok is false where nothing moves, or
// the whole picture does.
func (m *motion) most() (best area, ok bool) {
	if m.whole {
		return area{}, false
	}
	seen, top := make([]bool, len(m.strength)), 0.0
	for b, s := range m.strength {
		if s == 0 || seen[b] {
			continue
		}
		if around, sum := m.group(b, seen); sum > top {
			best, top, ok = around, sum, true
		}
	}
	return best, ok
}

// group is what is near to a block that moves, step by step, and marks it as seen.
func (m *motion) group(block int, seen []bool) (around area, sum float64) {
	around = area{left: m.columns, top: m.rows}
	seen[block] = true
	for queue := []int{block}; len(queue) > 0; queue = queue[1:] {
		x, y := queue[0]%m.columns, queue[0]/m.columns
		around, sum = around.with(x, y), sum+m.strength[queue[0]]
		for v := max(y-near, 0); v <= min(y+near, m.rows-1); v++ {
			for u := max(x-near, 0); u <= min(x+near, m.columns-1); u++ {
				if next := v*m.columns + u; !seen[next] && m.strength[next] > 0 {
					seen[next] = true
					queue = append(queue, next)
				}
			}
		}
	}
	return around, sum
}

// busiest is where the stretch of so many blocks begins in which most moves, along the
// columns of an area or, with down, its rows. The area is at least as long.
func (m *motion) busiest(a area, length int, down bool) (from int) {
	first, sums := a.left, make([]float64, a.right-a.left)
	if down {
		first, sums = a.top, make([]float64, a.bottom-a.top)
	}
	for y := a.top; y < a.bottom; y++ {
		for x := a.left; x < a.right; x++ {
			along := x
			if down {
				along = y
			}
			sums[along-first] += m.strength[y*m.columns+x]
		}
	}
	best := 0.0
	for at := 0; at+length <= len(sums); at++ {
		sum := 0.0
		for _, s := range sums[at : at+length] {
			sum += s
		}
		if sum > best {
			from, best = at, sum
		}
	}
	return first + from
}
