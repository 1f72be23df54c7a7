package framer

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/media"
)

// view is what a camera usually shows: the running mean of its scenes.
type view struct {
	columns int
	mean    []media.SceneCell
	seen    int // pictures, up to viewPictures
}

const (
	// viewPictures is over how many pictures the mean runs, ten minutes of the default
	// window: it follows the sun, and people who walk through leave no trace.
	viewPictures = 1000
	// dark is the luma below which nothing is said of a cell: what libavfilter's
	// blackdetect takes for black.
	dark = 25.5
	// detailed is the Detail above the picture's noise from which on a cell has some. A
	// wall has less, an edge of a tenth of the range from black to white ten times more.
	detailed = 20
	// lost is the part of its usual detail below which a cell has lost it. A blur of one
	// point (a 320th of the picture's width) leaves a sharp edge about a tenth.
	lost = 0.1
	// mostNoise is the most Detail that is taken for noise, more is texture: independent
	// noise of 15 levels at each pixel, at four pixels a point, has 1,100.
	mostNoise = 1200
	// oriented is from which size of Steep and Slant on, squared, a cell has an edge.
	// Noise of any strength has edges in a few cells of a hundred.
	oriented = 0.25
)

// learn takes a picture into the mean.
func (v *view) learn(s media.Scene) {
	if v.columns != s.Columns {
		v.columns, v.mean, v.seen = s.Columns, make([]media.SceneCell, len(s.Cells)), 0
	}
	v.seen = min(v.seen+1, viewPictures)
	part := 1 / float32(v.seen)
	for i, c := range s.Cells {
		m := &v.mean[i]
		m.Luma += (c.Luma - m.Luma) * part
		m.Detail += (c.Detail - m.Detail) * part
		m.Steep += (c.Steep - m.Steep) * part
		m.Slant += (c.Slant - m.Slant) * part
	}
}

// likeness compares a picture with a view. All of it is about cells that are dark in
// neither, so that light that goes out somewhere changes little.
type likeness struct {
	plain  bool    // the view has too little detail to compare anything with
	judged bool    // enough of it can be seen
	blank  float64 // share of the cells with detail that have lost it
	edged  float64 // cells with an edge, as a multiple of how many have one usually
	edges  float64 // correlation of which way edges run
	rough  float64 // correlation of the cells' luma: of the blurred pictures
}

// compare is the likeness of a picture of the same shape to the view.
func (v *view) compare(s media.Scene) (l likeness) {
	lit := make([]bool, len(s.Cells))
	noise, usualNoise := min(mostNoise, quietest(s.Cells)), quietest(v.mean)
	least := max(detailed, 2*min(mostNoise, usualNoise))
	var usual, now, blank, edged, usualEdged int
	for i, m := range v.mean {
		c := s.Cells[i]
		has := m.Luma >= dark && m.Detail-usualNoise >= least
		if has {
			usual++
		}
		if lit[i] = m.Luma >= dark && c.Luma >= dark; !lit[i] {
			continue
		}
		if hasEdge(c) {
			edged++
		}
		if hasEdge(m) {
			usualEdged++
		}
		if !has {
			continue
		}
		now++
		// With the light, the size of edges goes down; but when it goes up, they stay.
		light := min(1, c.Luma/m.Luma)
		if c.Detail-noise < lost*light*light*(m.Detail-usualNoise) || c.Detail < 1.5*noise {
			blank++
		}
	}
	l.plain = 20*usual < len(s.Cells)
	l.judged = !l.plain && 10*now >= 3*usual && usualEdged > 0
	if !l.judged {
		return l
	}
	l.blank, l.edged = float64(blank)/float64(now), float64(edged)/float64(usualEdged)
	l.rough, l.edges = v.rough(s.Cells, lit), v.edges(s.Cells, lit)
	return l
}

func hasEdge(c media.SceneCell) bool { return c.Steep*c.Steep+c.Slant*c.Slant >= oriented }

// quietest is the Detail of the plainest tenth of the cells, which is noise. It looks
// at one cell in seven: some of every row and column.
func quietest(cells []media.SceneCell) float32 {
	some := make([]float32, 0, len(cells)/7+1)
	for i := 0; i < len(cells); i += 7 {
		some = append(some, cells[i].Detail)
	}
	slices.Sort(some)
	return some[len(some)/10]
}

// rough is the correlation (Pearson's) of the cells' luma.
func (v *view) rough(cells []media.SceneCell, lit []bool) float64 {
	of := func(c media.SceneCell) float32 { return c.Luma }
	return correlation(lit, [][2][]float32{{centred(cells, lit, of, len(cells)), centred(v.mean, lit, of, len(cells))}})
}

// edges is the correlation of which way edges run. What rows and columns have in common
// is taken off first: most places have level edges below and none above, and a fence
// has the same wherever one looks.
func (v *view) edges(cells []media.SceneCell, lit []bool) float64 {
	var pairs [][2][]float32
	for _, of := range []func(media.SceneCell) float32{
		func(c media.SceneCell) float32 { return c.Steep },
		func(c media.SceneCell) float32 { return c.Slant },
	} {
		pairs = append(pairs, [2][]float32{centred(cells, lit, of, v.columns), centred(v.mean, lit, of, v.columns)})
	}
	return correlation(lit, pairs)
}

// centred is a measure of the lit cells less the mean of each row, and then of each
// column. In a single row, it is less the mean of all.
func centred(cells []media.SceneCell, lit []bool, of func(media.SceneCell) float32, columns int) []float32 {
	out := make([]float32, len(cells))
	for i, c := range cells {
		out[i] = of(c)
	}
	for row := 0; row < len(out); row += columns {
		centre(out[row:row+columns], lit[row:row+columns], 1)
	}
	if columns < len(out) {
		for column := range columns {
			centre(out[column:], lit[column:], columns)
		}
	}
	return out
}

// centre takes the mean off those values a step apart that count.
func centre(values []float32, count []bool, step int) {
	var sum, n float32
	for i := 0; i < len(values); i += step {
		if count[i] {
			sum, n = sum+values[i], n+1
		}
	}
	for i := 0; i < len(values) && n > 0; i += step {
		values[i] -= sum / n
	}
}

// correlation is that of pairs of centred values, where they count; 0 where either
// doesn't vary.
func correlation(count []bool, pairs [][2][]float32) float64 {
	var xx, yy, xy float64
	for _, p := range pairs {
		for i, on := range count {
			if on {
				x, y := float64(p[0][i]), float64(p[1][i])
				xx, yy, xy = xx+x*x, yy+y*y, xy+x*y
			}
		}
	}
	if xx <= 0 || yy <= 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}
