package media

import (
	"bytes"
	"testing"

	"github.com/frostwatch/frostwatch/media/jpeg"
)

// quartered is a picture whose four quarters are each of one brightness.
func quartered(w, h int, levels [4]byte) []byte {
	rgb := make([]byte, 3*w*h)
	for i := range rgb {
		x, y := i/3%w, i/3/w
		rgb[i] = levels[2*(2*y/h)+2*x/w]
	}
	return rgb
}

// A part of a kept frame is that part of the frame as it came, also of a frame that is
// too large to be kept whole, and keeping it changes nothing about the next.
func TestStillsAreCut(t *testing.T) {
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	levels := [4]byte{20, 90, 160, 230}
	for _, size := range [][2]int{{1280, 720}, {720, 1280}, {3840, 2160}, {96, 64}} {
		e, err := NewFrameEncoder(48, 90)
		if err != nil {
			t.Fatal(err)
		}
		rgb := quartered(size[0], size[1], levels)
		frame := &Frame{Width: size[0], Height: size[1], RGB: func(dst []byte) ([]byte, error) { return append(dst[:0], rgb...), nil }}
		first, _, _, err := e.Encode(frame)
		if err != nil {
			t.Fatal(err)
		}
		still, err := e.Still()
		if err != nil {
			t.Fatal(err)
		}
		if min(still.Width, still.Height) > StillLines || (len(still.Points) > 0) != (size[0] > 128) {
			t.Errorf("%v: kept as %dx%d with %d points", size, still.Width, still.Height, len(still.Points))
		}
		w, h := still.Width, still.Height
		for q, want := range levels {
			side := min(w, h) / 4
			out, err := e.Cut([]*Still{still, still}, w/8+q%2*w/2, h/8+q/2*h/2, side, 24)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Frame(out[1], 24, 24, nil)
			if err != nil || !near(got[0], int(want)) || !near(got[len(got)-1], int(want)) {
				t.Errorf("%v: quarter %d has %d and %d, want %d; %v", size, q, got[0], got[len(got)-1], want, err)
			}
		}
		if _, err := e.Cut([]*Still{still}, w-10, 0, 20, 24); err == nil {
			t.Error("a part outside the picture is cut")
		}
		again, _, _, err := e.Encode(frame)
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%v: the next frame is encoded otherwise: %v", size, err)
		}
	}
}
