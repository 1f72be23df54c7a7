package calibrate

import (
	"slices"
	"testing"
)

// Levels lie between values, also where many clips have the same one, as those of a
// film that is shown again and again.
func TestLevelsLieBetweenValues(t *testing.T) {
	values := []float32{9, 9, 9, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 1}
	for most, want := range map[int][]float64{18: {8, 6, 3}, 16: {8, 6, 3}, 15: {8, 6}, 3: {8}, 2: nil, 0: nil} {
		if got := slices.Collect(between(values, most)); !slices.Equal(got, want) {
			t.Errorf("at most %d clips: levels %v, want %v", most, got, want)
		}
	}
	// The lowest level above what nearly all clips have is not left out.
	many := append([]float32{90, 80, 70, 60, 50, 40, 30, 20, 10, 9, 8}, make([]float32, 100)...)
	if got := slices.Collect(between(many, 50)); got[len(got)-1] != 4 {
		t.Errorf("levels %v", got)
	}
	for _, none := range [][]float32{nil, {1}, {1, 1, 1}} {
		if got := slices.Collect(between(none, 5)); len(got) > 0 {
			t.Errorf("levels %v of %v", got, none)
		}
	}
}
