package media

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// The largest short side that may be configured makes frames of a 16:9 camera
// that the reader of a clip takes.
func TestTheLargestFramesAreRead(t *testing.T) {
	e, err := NewFrameEncoder(topics.MaxShortSide, 50)
	if err != nil {
		t.Fatal(err)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, size := range [][2]int{{1280, 720}, {1920, 1080}, {3840, 2160}, {720, 1280}} {
		rgb := make([]byte, size[0]*size[1]*3)
		data, w, h, err := e.Encode(&Frame{Width: size[0], Height: size[1], RGB: func([]byte) ([]byte, error) { return rgb, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Frame(data, w, h, nil); err != nil {
			t.Errorf("a camera of %dx%d, carried as %dx%d: %v", size[0], size[1], w, h, err)
		}
	}
}

// Bounded pictures have the best quality that fits, and the one asked for as soon as
// it does again.
func TestPicturesAreBounded(t *testing.T) {
	e, err := NewFrameEncoder(200, 90)
	if err != nil {
		t.Fatal(err)
	}
	const most = 30_000
	e.Bound(most)
	noise, flat := make([]byte, 300*200*3), make([]byte, 300*200*3)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	see := func(rgb []byte) int {
		t.Helper()
		data, _, _, err := e.Encode(&Frame{Width: 300, Height: 200, RGB: func([]byte) ([]byte, error) { return rgb, nil }})
		if err != nil {
			t.Fatal(err)
		}
		return len(data)
	}
	if n := see(flat); n > most || e.Quality() != 90 {
		t.Errorf("a flat picture: %d bytes at quality %d", n, e.Quality())
	}
	for range 3 {
		if n := see(noise); n > most || e.Quality() == 90 {
			t.Errorf("noise: %d bytes at quality %d", n, e.Quality())
		}
	}
	for range 10 {
		see(flat)
	}
	if e.Quality() != 90 {
		t.Errorf("flat pictures again: quality %d", e.Quality())
	}
}

// A picture that would grow too large is refused before it is converted.
func TestOddPicturesAreRefusedUnseen(t *testing.T) {
	for _, c := range []struct {
		w, h, short int
		want        string
	}{
		{8192, 2, 32, "a picture of 8192x2, carried with a short side of 32: frame size 131072x32: want 1 to 8192 a side"},
		{1, 700, 32, "want 1 to 8192 a side"},
		{1000, 50, 224, "want one side at most 16 times the other"},
		{5120, 1440, 1536, "want at most 4194304 pixels"},
		{0, 0, 224, "a picture of 0x0"},
	} {
		e, err := NewFrameEncoder(c.short, 50)
		if err != nil {
			t.Fatal(err)
		}
		_, _, _, err = e.Encode(&Frame{Width: c.w, Height: c.h, RGB: func([]byte) ([]byte, error) {
			t.Errorf("%dx%d is converted", c.w, c.h)
			return nil, nil
		}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%dx%d: %v, want %q", c.w, c.h, err, c.want)
		}
	}
}

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
