// Package pixels is FROSTER's preprocessing of frames: the short side resized
// by bilinear interpolation with half-pixel centres and no antialiasing, then
// the centre crop. It matches the official code (Visual-AI/FROSTER 230ae88,
// torch.nn.functional.interpolate, align_corners=False); the recorded outputs in
// the parity fixture are its test. Images are packed RGB, [height, width, 3].
package pixels

import "math"

const channels = 3

// Mean and Std are CLIP's normalisation of RGB in 0 to 1.
var (
	Mean = [channels]float32{0.48145466, 0.4578275, 0.40821073}  //nolint:gochecknoglobals // a constant of the model
	Std  = [channels]float32{0.26862954, 0.26130258, 0.27577711} //nolint:gochecknoglobals // a constant of the model
)

// ResizedSize is the size of a w×h image once its short side is short: the long
// side is floored, in float64, as the official code does.
func ResizedSize(w, h, short int) (int, int) {
	switch {
	case min(w, h) == short:
		return w, h
	case w < h:
		return short, int(math.Floor(float64(h) / float64(w) * float64(short)))
	default:
		return int(math.Floor(float64(w) / float64(h) * float64(short))), short
	}
}

// ResizeShortSide resizes src, w×h, into dst, which is reused where it is large
// enough, and returns the image with its size. Values are rounded to the
// nearest. An image of the right size already is returned as it is, not copied.
func ResizeShortSide(src []byte, w, h, short int, dst []byte) (out []byte, outW, outH int) {
	outW, outH = ResizedSize(w, h, short)
	if outW == w && outH == h {
		return src, w, h
	}
	n := outW * outH * channels
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	resize(src, w, taps(w, outW, 0, outW), taps(h, outH, 0, outH), func(y int, row []float32) {
		round(dst[y*outW*channels:], row)
	})
	return dst, outW, outH
}

// ResizeShortSideFloat is ResizeShortSide without rounding, of any values.
func ResizeShortSideFloat(src []float32, w, h, short int) (out []float32, outW, outH int) {
	outW, outH = ResizedSize(w, h, short)
	if outW == w && outH == h {
		return src, w, h
	}
	out = make([]float32, 0, outW*outH*channels)
	resize(src, w, taps(w, outW, 0, outW), taps(h, outH, 0, outH), func(_ int, row []float32) { out = append(out, row...) })
	return out, outW, outH
}

// resize hands each output row to emit, of the columns xs and the rows ys; the
// row is reused. src is w pixels wide.
func resize[T byte | float32](src []T, w int, xs, ys []tap, emit func(y int, row []float32)) {
	row := make([]float32, len(xs)*channels)
	for y, v := range ys {
		top, bottom := src[v.low*w*channels:][:w*channels], src[v.high*w*channels:][:w*channels]
		for x, u := range xs {
			l, r := u.low*channels, u.high*channels
			for c := range channels {
				a := float32(top[l+c])*(1-u.part) + float32(top[r+c])*u.part
				b := float32(bottom[l+c])*(1-u.part) + float32(bottom[r+c])*u.part
				row[x*channels+c] = a*(1-v.part) + b*v.part
			}
		}
		emit(y, row)
	}
}

// tap is where one output sample lies between two source samples.
type tap struct {
	low, high int
	part      float32 // of high
}

// taps are those of n output samples from the first-th on, where in samples
// become out. They are worked out in float32, as torch does for float32 images.
func taps(in, out, first, n int) []tap {
	scale := float32(in) / float32(out)
	ts := make([]tap, n)
	for i := range ts {
		at := max(scale*(float32(first+i)+0.5)-0.5, 0)
		low := min(int(at), in-1)
		ts[i] = tap{low: low, high: min(low+1, in-1), part: at - float32(low)}
	}
	return ts
}

// CenterCrop is Crop of the centre.
func CenterCrop[T byte | float32](src []T, w, h, size int, dst []T) []T {
	return Crop(src, w, h, size, Centre, dst)
}

// Crop cuts a size×size square out of src, w×h, into dst, which is reused where
// it is large enough. The centre's offset is rounded up, as the official code
// does. Both sides must be at least size, and place must not be Whole.
func Crop[T byte | float32](src []T, w, h, size int, place Place, dst []T) []T {
	left, top := place.corner(w, h, size)
	dst = dst[:0]
	for y := top; y < top+size; y++ {
		at := (y*w + left) * channels
		dst = append(dst, src[at:at+size*channels]...)
	}
	return dst
}

// Square is what the model sees of a w×h image: ResizeShortSide to size, then
// Crop, to the byte, but no more is resized than the crop keeps, so that time and
// memory depend on size alone, however long and narrow the image is. The result
// goes into dst, of exactly size×size×3 bytes. Of Whole, each side is resized to size.
// Places of Squashing are cut out first, and resized by its filter.
func Square(src []byte, w, h, size int, place Place, dst []byte) {
	if _, squashed := place.bare(); squashed {
		left, top, width, height := place.region(w, h)
		squash(src[(top*w+left)*channels:], w, width, height, size, size, dst)
		return
	}
	outW, outH := place.resized(w, h, size)
	if outW == w && outH == h {
		Crop(src, w, h, size, place, dst)
		return
	}
	left, top := place.corner(outW, outH, size)
	resize(src, w, taps(w, outW, left, size), taps(h, outH, top, size), func(y int, row []float32) {
		round(dst[y*size*channels:], row)
	})
}

// round writes a row's values as the nearest bytes.
func round(line []byte, row []float32) {
	line = line[:len(row)]
	for i, v := range row {
		line[i] = byte(v + 0.5)
	}
}

// Normalise turns RGB of 0 to 255 into what the model's tower sees.
func Normalise(src []byte) []float32 {
	out := make([]float32, len(src))
	for i, v := range src {
		c := i % channels
		out[i] = (float32(v)/255 - Mean[c]) / Std[c]
	}
	return out
}
