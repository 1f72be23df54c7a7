package pixels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Square is a shorter way to what the official code does in two steps.
func TestSquareIsResizeThenCrop(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{40, 40}, {64, 48}, {48, 64}, {71, 33}, {33, 71}, {200, 24}, {7, 5}, {24, 24}, {90, 24}} {
		w, h := size[0], size[1]
		src := make([]byte, w*h*3)
		for i := range src {
			src[i] = byte(r.UintN(256))
		}
		for _, side := range []int{24, 33, 5} {
			for _, place := range []Place{Begin, Centre, End} {
				t.Run(fmt.Sprintf("%dx%d to %d at %d", w, h, side, place), func(t *testing.T) {
					resized, rw, rh := ResizeShortSide(src, w, h, side, nil)
					want := Crop(resized, rw, rh, side, place, nil)
					got := make([]byte, side*side*3)
					if Square(src, w, h, side, place, got); !slices.Equal(got, want) {
						t.Error("the squares differ")
					}
				})
			}
		}
	}
}
