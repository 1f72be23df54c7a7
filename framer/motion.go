package framer

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/media"
)

// motion is where something moves in a clip, by blocks of the picture.
type motion struct {
	columns, rows int
	strength      []float64 // of each block, in rows; 0: nothing moves there
}

const (
	blockPoints = 5 // of a Still, along each side of a block
	// Two pictures differ in a block where the mean difference of its points' luma is more
	// than movedLevels, and more than movedNoise times that of the block that a quarter of
	// all don't exceed, which is noise. Light that changes everywhere is taken off before.
	movedLevels = 4
	movedNoise  = 4
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
			m.columns, m.rows = s.Columns/blockPoints, len(s.Points)/s.Columns/blockPoints
			m.strength = make([]float64, m.columns*m.rows)
		}
		m.add(before, s)
	}
	return m
}

// add adds how two pictures differ.
func (m *motion) add(before, after *media.Still) {
	gain := m.gain(before, after)
	differ := make([]float64, len(m.strength))
	for b := range differ {
		sum := 0.0
		m.points(b, after.Columns, func(at int) {
			sum += math.Abs(float64(after.Points[at]) - gain*float64(before.Points[at]))
		})
		differ[b] = sum / (blockPoints * blockPoints)
	}
	least := max(movedLevels, movedNoise*quantile(differ, 4))
	for b, d := range differ {
		if d > least && m.besides(b, func(other int) bool { return differ[other] > least }) {
			m.strength[b] += min(d/least, strongest)
		}
	}
}

// besides is whether something holds of one of the eight blocks around a block: what
// moves alone is an insect or a snowflake.
func (m *motion) besides(block int, holds func(int) bool) bool {
	x, y := block%m.columns, block/m.columns
	for v := max(y-1, 0); v <= min(y+1, m.rows-1); v++ {
		for u := max(x-1, 0); u <= min(x+1, m.columns-1); u++ {
			if other := v*m.columns + u; other != block && holds(other) {
				return true
			}
		}
	}
	return false
}

// points calls fn with the index of each point of a block.
func (m *motion) points(block, columns int, fn func(at int)) {
	left, top := block%m.columns*blockPoints, block/m.columns*blockPoints
	for y := top; y < top+blockPoints; y++ {
		for x := left; x < left+blockPoints; x++ {
			fn(y*columns + x)
		}
	}
}

// gain is how much brighter most of the second picture is.
func (m *motion) gain(before, after *media.Still) float64 {
	var gains []float64
	for b := range m.strength {
		was, is := 0.0, 0.0
		m.points(b, after.Columns, func(at int) {
			was += float64(before.Points[at])
			is += float64(after.Points[at])
		})
		if was > dark*blockPoints*blockPoints {
			gains = append(gains, is/was)
		}
	}
	if len(gains) == 0 {
		return 1
	}
	return min(max(quantile(gains, 2), 0.5), 2)
}

// quantile is the value that one in n of all are below.
func quantile(values []float64, n int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/n]
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
	moving := 0
	for _, s := range m.strength {
		if s > 0 {
			moving++
		}
	}
	if float64(moving) > everywhere*float64(len(m.strength)) {
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
