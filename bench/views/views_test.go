package main

import "testing"

// What is pasted is where and as large as it should be, and the rest is the scene.
func TestPasteKeepsPlaceAndSize(t *testing.T) {
	grey, white := make([]byte, 3*64*36), make([]byte, 3*64*36)
	for i := range grey {
		grey[i], white[i] = 90, 250
	}
	p := newPaste(grey, 64, 36, 96, 54)
	for at, left := range map[float64]int{0: 0, .5: 38, 1: 76} {
		got := p.frame(white, 64, 36, 20, at, nil)
		for i := 0; i < len(got); i += 3 {
			x, y := i/3%96, i/3/96
			inside := x >= left && x < left+20 && y >= 17 && y < 37
			if (got[i] > 200) != inside {
				t.Fatalf("at %v: %d at %d,%d", at, got[i], x, y)
			}
		}
	}
}

func TestAUROC(t *testing.T) {
	if a := auroc([]float64{.9, .5}, []float64{.5, .1, .1}); a != (3+2.5)/6 {
		t.Errorf("%v", a)
	}
}
