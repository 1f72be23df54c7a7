package pixels

import "math"

// Place is which square of a picture is taken.
type Place int

// The places. Those of the official code are the first three: a single crop is the
// centre, of three one lies at each end.
const (
	Centre Place = iota
	Begin        // left, or top of an upright image
	End
	Whole // all of it, squeezed into the square
	firstTile
)

// MaxTiles is how many squares a picture is covered with at most. They overlap by half
// in pictures up to 4.5 times as long as they are wide.
const MaxTiles = 8

// Tile is square i of n that are spread evenly along the longer side.
func Tile(i, n int) Place { return firstTile + Place(n*MaxTiles+i) }

// tile is the inverse of Tile.
func (p Place) tile() (i, n int, is bool) {
	p, _ = p.bare()
	p -= firstTile
	return int(p) % MaxTiles, int(p) / MaxTiles, p >= 0
}

// Tiles are the squares that cover a w×h picture and overlap by half at least, so that
// nothing that fits into a half is cut between two: three for 16:9. The one nearest the
// middle comes first.
func Tiles(w, h int) []Place {
	n := 1
	if short, long := min(w, h), max(w, h); short > 0 {
		n = min(1+(2*(long-short)+short-1)/short, MaxTiles) // a square, and one for each half beyond it
	}
	if n == 1 {
		return []Place{Centre}
	}
	out := make([]Place, 0, n)
	middle := (n - 1) / 2
	out = append(out, Tile(middle, n))
	for away := 1; len(out) < n; away++ {
		if middle+away < n {
			out = append(out, Tile(middle+away, n))
		}
		if middle-away >= 0 {
			out = append(out, Tile(middle-away, n))
		}
	}
	return out
}

// resized is the size of a w×h picture from which a square of size×size is cut.
func (p Place) resized(w, h, size int) (int, int) {
	if bare, _ := p.bare(); bare == Whole {
		return size, size
	}
	return ResizedSize(w, h, size)
}

// corner is where a size×size square lies in a w×h image.
func (p Place) corner(w, h, size int) (left, top int) {
	left, top = (w-size+1)/2, (h-size+1)/2
	at := func(offset int) (int, int) {
		if w >= h {
			return offset, top
		}
		return left, offset
	}
	rest := max(w, h) - size
	i, n, tile := p.tile()
	switch bare, _ := p.bare(); {
	case bare == Begin:
		return at(0)
	case bare == End:
		return at(rest)
	case tile && 2*i != n-1: // the middle one is the centre
		return at(int(math.Round(float64(i) * float64(rest) / float64(n-1))))
	}
	return left, top
}

// Part is which part of a w×h picture a square of size×size shows, in fractions of the
// picture.
func (p Place) Part(w, h, size int) (left, top, width, height float64) {
	bare, squashed := p.bare()
	if bare == Whole {
		return 0, 0, 1, 1
	}
	if squashed { // cut out before it is resized
		size = min(w, h)
	}
	outW, outH := ResizedSize(w, h, size)
	x, y := p.corner(outW, outH, size)
	return float64(x) / float64(outW), float64(y) / float64(outH), float64(size) / float64(outW), float64(size) / float64(outH)
}
