package media

// Scene is what is kept of a picture to notice that a lens is covered, out of focus or
// turned away: cells in rows, 64 in each of 36 rows, or 36 in each of 64 where the
// picture is upright. It has none for pictures that are too small for that.
type Scene struct {
	Columns int
	Cells   []SceneCell
}

// The number of cells along the longer side of a picture, and along the shorter.
const (
	SceneLong  = 64
	SceneShort = 36
)

// SceneCell is what one part of a picture looks like.
type SceneCell struct {
	Luma float32 // mean, 0 to 255
	// Detail is the mean square of the Laplacian, in squared levels of luma. The variance
	// of the Laplacian is the usual measure of focus (Pech-Pacheco and others, "Diatom
	// autofocusing in brightfield microscopy", ICPR 2000).
	Detail float32
	// Steep and Slant are which way edges run: the squares of the gradients as complex
	// numbers, added up and divided by the sum of their sizes (Fitch and others,
	// "Orientation correlation", BMVC 2002, calls this squared orientation). Upright edges
	// are (1, 0), level ones (-1, 0), the two diagonals (0, 1) and (0, -1). It is near 0
	// where there are no edges or they run all ways. It depends neither on which side of
	// an edge is brighter nor on how bright the picture is.
	Steep, Slant float32
}

const (
	// cellPoints are the points of a cell along each side, where the picture is large
	// enough: a blur that 320 by 180 points don't show matters little to a model that
	// sees 224 rows.
	cellPoints = 5
	lumaUnit   = 64 // of sceneMaker.luma in a level
	// faintEdge is the mean square of the gradient, in levels a point, up to which edges
	// count for less: noise and compression make as much.
	faintEdge = 4
)

// sceneMaker makes Scenes. Its buffers are reused; it serves one goroutine.
type sceneMaker struct {
	luma          []uint16 // of the points, in 64ths of a level
	columns, rows int      // of points
	pixels        []int    // where in a line the two columns of pixels of each point begin
}

// see looks at a packed RGB picture.
func (m *sceneMaker) see(rgb []byte, w, h int) Scene {
	columns, rows := SceneLong, SceneShort
	if h > w {
		columns, rows = rows, columns
	}
	across, down := min(cellPoints, w/columns), min(cellPoints, h/rows)
	if across < 2 || down < 2 {
		return Scene{}
	}
	m.columns, m.rows = columns*across, rows*down
	m.shrink(rgb, w, h)
	s := Scene{columns, make([]SceneCell, 0, columns*rows)}
	for y := range rows {
		for x := range columns {
			s.Cells = append(s.Cells, m.cell(x*across, y*down, across, down))
		}
	}
	return s
}

// shrink makes the points. Each is the mean of four pixels, two by two and spread over
// it, so that large pictures cost no more than small ones.
func (m *sceneMaker) shrink(rgb []byte, w, h int) {
	if n := m.columns * m.rows; cap(m.luma) < n {
		m.luma = make([]uint16, n)
	}
	m.luma, m.pixels = m.luma[:m.columns*m.rows], m.pixels[:0]
	for x := range m.columns {
		left, right := x*w/m.columns, (x+1)*w/m.columns
		m.pixels = append(m.pixels, 3*left, 3*((left+right)/2))
	}
	for y := range m.rows {
		top, bottom := y*h/m.rows, (y+1)*h/m.rows
		above, below := rgb[3*w*top:][:3*w], rgb[3*w*((top+bottom)/2):][:3*w]
		out := m.luma[y*m.columns:][:m.columns]
		for x := range out {
			a, b := m.pixels[2*x], m.pixels[2*x+1]
			out[x] = uint16(lumaUnit / 16 * (quarters(above[a:a+3]) + quarters(above[b:b+3]) + quarters(below[a:a+3]) + quarters(below[b:b+3])))
		}
	}
}

// quarters is about the luma of BT.601 of a pixel, times four.
func quarters(rgb []byte) int { return int(rgb[0]) + 2*int(rgb[1]) + int(rgb[2]) }

// cell measures the points of one cell. Those at the picture's border have no
// neighbours and are left out.
func (m *sceneMaker) cell(left, top, across, down int) SceneCell {
	var luma, n int
	for y := top; y < top+down; y++ {
		for _, v := range m.luma[y*m.columns+left:][:across] {
			luma += int(v)
		}
	}
	from, to := max(left, 1), min(left+across, m.columns-1)
	var detail, upright, level, slant float32
	for y := max(top, 1); y < min(top+down, m.rows-1); y++ {
		above, below := m.luma[(y-1)*m.columns:][:to], m.luma[(y+1)*m.columns:][:to]
		row := m.luma[y*m.columns:][:to+1]
		for x := from; x < to; x++ {
			l, r, u, d := int32(row[x-1]), int32(row[x+1]), int32(above[x]), int32(below[x])
			curve := float32(4*int32(row[x]) - l - r - u - d)
			gx, gy := float32(r-l), float32(d-u) // of two points
			detail += curve * curve
			upright += gx * gx
			level += gy * gy
			slant += gx * gy
		}
		n += to - from
	}
	const unit = lumaUnit * lumaUnit
	all := upright + level + 4*faintEdge*unit*float32(n)
	return SceneCell{
		Luma: float32(luma) / float32(across*down*lumaUnit), Detail: detail / (unit * float32(n)),
		Steep: (upright - level) / all, Slant: 2 * slant / all,
	}
}
