package pixels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// Whatever lies within half a square's width is whole in one of the tiles, and nothing of
// the picture is in none.
func TestTilesCoverThePictureAndOverlapByHalf(t *testing.T) {
	for size, want := range map[[2]int]int{
		{398, 224}: 3, {224, 398}: 3, {1920, 1080}: 3, {640, 480}: 2, {224, 224}: 1, {717, 224}: 6, {225, 224}: 2, {1000, 224}: 8,
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w, h := size[0], size[1]
			const side = 112
			tiles := Tiles(w, h)
			if len(tiles) != want {
				t.Fatalf("%d tiles, want %d", len(tiles), want)
			}
			type span struct{ from, to float64 }
			var spans []span
			for _, p := range tiles {
				left, top, width, height := p.Part(w, h, side)
				if h > w {
					left, width, top, height = top, height, left, width
				}
				if top != 0 || height != 1 {
					t.Errorf("tile from %v to %v of the shorter side", top, top+height)
				}
				spans = append(spans, span{left, left + width})
			}
			if middle := (spans[0].from + spans[0].to) / 2; len(tiles)%2 == 1 && math.Abs(middle-.5) > .01 {
				t.Errorf("the first tile is at %v", middle)
			}
			slices.SortFunc(spans, func(a, b span) int { return int(math.Copysign(1, a.from-b.from)) })
			if spans[0].from != 0 || math.Abs(spans[len(spans)-1].to-1) > 1e-9 {
				t.Errorf("the tiles cover %v", spans)
			}
			for i, s := range spans[1:] {
				if overlap := (spans[i].to - s.from) / (s.to - s.from); len(tiles) < MaxTiles && overlap < .49 {
					t.Errorf("tiles %v and %v overlap by %v", spans[i], s, overlap)
				}
			}
		})
	}
}

// The middle one of three tiles is the very square that the model was trained on.
func TestTheMiddleTileIsTheCentre(t *testing.T) {
	src := make([]byte, 64*36*3)
	for i := range src {
		src[i] = byte(i * 7)
	}
	tile, centre := make([]byte, 24*24*3), make([]byte, 24*24*3)
	Square(src, 64, 36, 24, Tiles(64, 36)[0], tile)
	if Square(src, 64, 36, 24, Centre, centre); !slices.Equal(tile, centre) {
		t.Error("they differ")
	}
}

// Squashing keeps both edges of the picture.
func TestWholeHoldsTheWholePicture(t *testing.T) {
	const w, h, side = 64, 36, 12
	src := make([]byte, w*h*3)
	for i := range w * h {
		if x := i % w; x < 4 || x >= w-4 {
			src[3*i] = 255
		}
	}
	got := make([]byte, side*side*3)
	if Square(src, w, h, side, Whole, got); got[0] < 200 || got[3*(side-1)] < 200 || got[3*side/2] != 0 {
		t.Errorf("the first row is %v", got[:3*side])
	}
	if left, top, width, height := Whole.Part(w, h, side); left != 0 || top != 0 || width != 1 || height != 1 {
		t.Error("its part is not the whole picture")
	}
}
