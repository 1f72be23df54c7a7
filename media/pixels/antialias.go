package pixels

import "math"

// Resize is how a model's own preprocessing makes a square of a picture.
type Resize int

// The ways.
const (
	// Cropping is FROSTER's: Square.
	Cropping Resize = iota
	// Squashing is Perception Encoder's: all that is to be seen is squeezed into the square by
	// PIL's bilinear filter, which takes every pixel into account however much smaller
	// the picture becomes.
	Squashing
)

// Own is the place that the model's own preprocessing takes.
func (r Resize) Own() Place {
	if r == Squashing {
		return r.Of(Whole)
	}
	return Centre
}

// squashing marks a place that is resized by Squashing.
const squashing Place = 1 << 16

// Of is a place for models with this preprocessing: what Square makes of it.
func (r Resize) Of(p Place) Place {
	if r == Squashing {
		return p | squashing
	}
	return p
}

// bare is the place without its way of resizing.
func (p Place) bare() (bare Place, squashed bool) { return p &^ squashing, p&squashing != 0 }

// region is what a place shows of a w×h picture, in its pixels: all of it, or a square as
// large as the picture has.
func (p Place) region(w, h int) (left, top, width, height int) {
	if bare, _ := p.bare(); bare == Whole {
		return 0, 0, w, h
	}
	side := min(w, h)
	left, top = p.corner(w, h, side)
	return left, top, side, side
}

// The fixed-point arithmetic of Pillow 11 (src/libImaging/Resample.c): weights are
// multiples of 2^-22, sums are rounded to bytes after each of the two passes.
const (
	weightBits = 22
	half       = 1 << (weightBits - 1)
)

// weighted is one output of a pass: the inputs from first on, and their weights.
type weighted struct {
	first   int
	weights []int
}

// triangles are the weights by which in samples become out; nil if these are as many.
func triangles(in, out int) []weighted {
	if in == out {
		return nil
	}
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	all := make([]weighted, out)
	for i := range all {
		centre := (float64(i) + 0.5) * scale
		lo, hi := max(int(centre-wide+0.5), 0), min(int(centre+wide+0.5), in)
		exact, sum := make([]float64, hi-lo), 0.0
		for k := range exact {
			exact[k] = max(0, 1-math.Abs((float64(k+lo)-centre+0.5)*(1/wide)))
			sum += exact[k]
		}
		all[i] = weighted{lo, make([]int, hi-lo)}
		for k, v := range exact {
			all[i].weights[k] = int(v/sum*(1<<weightBits) + 0.5)
		}
	}
	return all
}

// squash resizes the w×h pixels at the beginning of src, whose rows are stride pixels
// apart, to outW×outH in dst: first along the rows, then along the columns, as Pillow
// 11 does (13 begins with the columns of many upright pictures).
func squash(src []byte, stride, w, h, outW, outH int, dst []byte) {
	xs, ys := triangles(w, outW), triangles(h, outH)
	if xs == nil && ys == nil {
		for y := range h {
			copy(dst[y*w*channels:(y+1)*w*channels], src[y*stride*channels:])
		}
		return
	}
	if ys == nil {
		alongRows(src, stride, h, xs, dst)
		return
	}
	if xs != nil {
		narrow := make([]byte, h*outW*channels)
		alongRows(src, stride, h, xs, narrow)
		src, stride = narrow, outW
	}
	alongColumns(src, stride, outW, ys, dst)
}

// alongRows resizes each of h rows.
func alongRows(src []byte, stride, h int, xs []weighted, dst []byte) {
	for y := range h {
		row, out := src[y*stride*channels:], dst[y*len(xs)*channels:][:len(xs)*channels]
		for x, t := range xs {
			r, g, b := half, half, half
			in := row[t.first*channels:][:len(t.weights)*channels]
			for k, weight := range t.weights {
				p := in[k*channels : k*channels+channels : k*channels+channels]
				r += weight * int(p[0])
				g += weight * int(p[1])
				b += weight * int(p[2])
			}
			o := out[x*channels : x*channels+channels : x*channels+channels]
			o[0], o[1], o[2] = clamped(r), clamped(g), clamped(b)
		}
	}
}

// alongColumns makes one row of width pixels for each of ys.
func alongColumns(src []byte, stride, width int, ys []weighted, dst []byte) {
	sums := make([]int, width*channels)
	for y, t := range ys {
		for i := range sums {
			sums[i] = half
		}
		for k, weight := range t.weights {
			row := src[(t.first+k)*stride*channels:][:len(sums)]
			for i, v := range row {
				sums[i] += weight * int(v)
			}
		}
		out := dst[y*len(sums):][:len(sums)]
		for i, v := range sums {
			out[i] = clamped(v)
		}
	}
}

// clamped is a sum of weighted bytes as a byte.
func clamped(sum int) byte { return byte(min(max(sum>>weightBits, 0), 255)) }
