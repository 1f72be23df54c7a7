package media

import "testing"

// BenchmarkEncode is what one sampled frame costs after decoding, less the
// conversion to RGB.
func BenchmarkEncode(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"640x360", 640, 360}, {"1920x1080", 1920, 1080}} {
		b.Run(size.name, func(b *testing.B) {
			rgb := make([]byte, size.w*size.h*3)
			for i := range rgb {
				rgb[i] = byte(i * i >> 7)
			}
			e, err := NewFrameEncoder(224, 90)
			if err != nil {
				b.Fatal(err)
			}
			f := &Frame{Width: size.w, Height: size.h, RGB: func([]byte) ([]byte, error) { return rgb, nil }}
			for b.Loop() {
				if _, _, _, err := e.Encode(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
