package media

import (
	"bytes"
	"math"

	"github.com/frostwatch/frostwatch/topics"
)

// mask paints areas of pictures over. Every pixel that an area touches belongs to it,
// also where an outline crosses itself, so that nothing at its edge is seen. Its zero
// value covers nothing. It serves one goroutine.
type mask struct {
	areas         []topics.Polygon
	width, height int    // of the pictures that spans are of
	spans         []span // by row, and in it from left to right
	paint         []byte // a row of it
}

// span is a stretch of covered pixels in a row, from the first on and before the end.
type span struct{ row, from, to int }

// paintColour is the mean of CLIP's training pictures: what a model normalises to 0.
var paintColour = []byte{123, 117, 104}

// apply paints a packed RGB picture over.
func (m *mask) apply(rgb []byte, w, h int) {
	for _, s := range m.of(w, h) {
		copy(rgb[3*(s.row*w+s.from):3*(s.row*w+s.to)], m.paint)
	}
}

// of is what is covered in pictures of a size.
func (m *mask) of(w, h int) []span {
	if len(m.areas) == 0 || w == m.width && h == m.height {
		return m.spans
	}
	m.width, m.height, m.spans, m.paint = w, h, nil, bytes.Repeat(paintColour, w)
	covered := make([]bool, w)
	for y := range h {
		clear(covered)
		for _, area := range m.areas {
			cover(covered, area.Corners(), y, h)
		}
		for x := 0; x < w; x++ {
			from := x
			for x < w && covered[x] {
				x++
			}
			if x > from {
				m.spans = append(m.spans, span{y, from, x})
			}
		}
	}
	return m.spans
}

// cover marks the pixels of row y, of h, that an outline touches or encloses. What it
// only encloses is touched by none of its edges, so that the middle of the pixel says
// whether it does.
func cover(covered []bool, corners []topics.Point, y, h int) {
	w := float64(len(covered))
	top, bottom, middle := float64(y), float64(y+1), float64(y)+0.5
	winding := make([]int, len(covered)+1) // by how much it changes at each pixel
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		ax, ay, bx, by := a.X*w, a.Y*float64(h), b.X*w, b.Y*float64(h)
		turn := 1
		if ay > by {
			ax, ay, bx, by, turn = bx, by, ax, ay, -1
		}
		if ay > bottom || by < top {
			continue
		}
		at := func(y float64) float64 { // where the edge is at a height
			if by == ay {
				return ax
			}
			return ax + (bx-ax)*(y-ay)/(by-ay)
		}
		from, to := at(max(ay, top)), at(min(by, bottom))
		if by == ay {
			to = bx
		}
		touch(covered, min(from, to), max(from, to))
		if ay <= middle && by > middle {
			x := min(max(math.Ceil(at(middle)-0.5), 0), w)
			winding[int(x)] += turn
		}
	}
	sum := 0
	for x := range covered {
		sum += winding[x]
		covered[x] = covered[x] || sum != 0
	}
}

// Touched are the cells of a grid over the picture that an area touches or encloses, in
// rows.
func Touched(area topics.Polygon, columns, rows int) []bool {
	out := make([]bool, columns*rows)
	for y := range rows {
		cover(out[y*columns:(y+1)*columns], area.Corners(), y, rows)
	}
	return out
}

// touch marks the pixels from one place in a row to another.
func touch(covered []bool, from, to float64) {
	for x := max(int(from), 0); x <= int(to) && x < len(covered); x++ {
		covered[x] = true
	}
}
