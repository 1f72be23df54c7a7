package media

import "slices"

// luma are the points of a frame; none where they can't be read.
type luma struct {
	points  []byte
	columns int
}

// lumaOf reads the fresh frame's points into the memory of l.
func (s *Stream) lumaOf(l luma) luma {
	columns, rows := SceneLong*cellPoints, SceneShort*cellPoints
	if s.fresh.Height() > s.fresh.Width() {
		columns, rows = rows, columns
	}
	columns, rows = min(columns, s.fresh.Width()), min(rows, s.fresh.Height())
	if columns < 4*BlockPoints || rows < 4*BlockPoints {
		return luma{}
	}
	l.points, l.columns = slices.Grow(l.points[:0], columns*rows)[:columns*rows], columns
	if !lumaOf(s.fresh.UnsafePointer(), columns, rows, l.points) {
		return luma{}
	}
	return l
}

// moving compares two frames block by block (Moving); false if they can't be compared.
func (l luma) moving(before luma) ([]float64, bool) {
	if len(l.points) == 0 || len(l.points) != len(before.points) || l.columns != before.columns {
		return nil, false
	}
	return Moving(before.points, l.points, l.columns), true
}
