package infer

import (
	"image"
	"image/color"
)

// packRGB converts JPEG's full-range BT.601 to packed RGB, [height, width, 3].
func packRGB(m *image.YCbCr) []byte {
	b := m.Bounds()
	out := make([]byte, 0, 3*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			yi, ci := m.YOffset(x, y), m.COffset(x, y)
			r, g, bl := color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
			out = append(out, r, g, bl)
		}
	}
	return out
}
