package topics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Polygon is an area of a camera's picture: its corners in order, the last one joined
// with the first. Its text is "0,0 0.4,0 0.4,0.3": each corner's distance from the left
// edge and from the top of the picture as people see it, in fractions of its width and
// height. Two corners are those of an upright rectangle.
type Polygon []Point

// Point is a place in a picture, in fractions of its width and height from its upper
// left corner.
type Point struct{ X, Y float64 }

// The bounds of polygons. An area of less than leastArea of the picture is a slip.
const (
	maxCorners  = 64
	maxMasks    = 32
	leastArea   = 1e-5
	maxPolygon  = 4096 // bytes of a text
	polygonForm = `want corners as fractions of the picture's width and height, such as "0,0 0.4,0 0.4,0.3", or two of them for a rectangle`
)

// Corners are those of the outline; of a rectangle all four.
func (p Polygon) Corners() []Point {
	if len(p) == 2 {
		return []Point{p[0], {p[1].X, p[0].Y}, p[1], {p[0].X, p[1].Y}}
	}
	return p
}

// Check returns an error if the polygon is no area of a picture.
func (p Polygon) Check() error {
	if len(p) < 2 || len(p) > maxCorners {
		return fmt.Errorf("%d corners: want 2 to %d", len(p), maxCorners)
	}
	for _, c := range p {
		if !(c.X >= 0 && c.X <= 1 && c.Y >= 0 && c.Y <= 1) { // NaN neither
			return fmt.Errorf("corner %v,%v: want fractions of the picture, 0 to 1", c.X, c.Y)
		}
	}
	if p.extent() < leastArea {
		return fmt.Errorf("%q encloses nothing", p.String())
	}
	return nil
}

// extent is the area of the upright rectangle around the corners, as a fraction of the
// picture.
func (p Polygon) extent() float64 {
	left, top, right, bottom := p.bounds()
	return (right - left) * (bottom - top)
}

// bounds are those of the corners.
func (p Polygon) bounds() (left, top, right, bottom float64) {
	left, top = 1, 1
	for _, c := range p {
		left, right = min(left, c.X), max(right, c.X)
		top, bottom = min(top, c.Y), max(bottom, c.Y)
	}
	return left, top, right, bottom
}

// String is the polygon's text.
func (p Polygon) String() string {
	var b strings.Builder
	for i, c := range p {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatFloat(c.X, 'g', -1, 64) + "," + strconv.FormatFloat(c.Y, 'g', -1, 64))
	}
	return b.String()
}

// MarshalText writes the corners.
func (p Polygon) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads corners. Whether they are an area of a picture, Check says.
func (p *Polygon) UnmarshalText(b []byte) error {
	if len(b) > maxPolygon {
		return fmt.Errorf("polygon of %d bytes: want at most %d", len(b), maxPolygon)
	}
	corners := strings.Fields(string(b))
	if len(corners) == 0 || len(corners) > maxCorners {
		return fmt.Errorf("polygon %.80q: %s", b, polygonForm)
	}
	*p = make(Polygon, 0, len(corners))
	for _, corner := range corners {
		x, y, _ := strings.Cut(corner, ",")
		c, err := parsePoint(x, y)
		if err != nil {
			return fmt.Errorf("polygon %.80q: corner %.40q: %s", b, corner, polygonForm)
		}
		*p = append(*p, c)
	}
	return nil
}

func parsePoint(x, y string) (c Point, err error) {
	if c.X, err = strconv.ParseFloat(x, 64); err == nil {
		c.Y, err = strconv.ParseFloat(y, 64)
	}
	if math.IsNaN(c.X + c.Y) {
		err = strconv.ErrRange
	}
	return c, err
}

// CheckMasks returns an error about the first mask that no camera may have.
func CheckMasks(masks []Polygon) error {
	if len(masks) > maxMasks {
		return fmt.Errorf("%d masks, want at most %d", len(masks), maxMasks)
	}
	for _, m := range masks {
		if err := m.Check(); err != nil {
			return fmt.Errorf("mask: %w", err)
		}
	}
	return nil
}
