package jpeg

import (
	"slices"
	"testing"
)

func TestScansAreCounted(t *testing.T) {
	scan := []byte{0xFF, 0xDA, 0, 3, 9, 1, 2, 0xFF, 0, 0xDA, 0xFF, 0xD3, 5}
	start := []byte{0xFF, 0xD8}
	for _, c := range []struct {
		name string
		jpeg []byte
		want int
	}{
		{"nothing", nil, 0},
		{"one, with a stuffed byte and a restart", slices.Concat(start, scan), 1},
		{"two, after padding", slices.Concat(start, scan, []byte{0xFF, 0xFF}, scan), 2},
		{"none in a comment", slices.Concat(start, []byte{0xFF, 0xFE, 0, 6}, scan[:4], scan), 1},
		{"none after the end", slices.Concat(start, scan, []byte{0xFF, 0xD9}, scan, scan), 1},
		{"a length of none", slices.Concat(start, []byte{0xFF, 0xDA, 0, 0}, scan), 2},
		{"a length beyond the end", slices.Concat(start, []byte{0xFF, 0xDA, 0xFF, 0xFF}, scan), 1},
		{"cut in a marker", slices.Concat(start, scan, []byte{0xFF}), 1},
	} {
		if got := scans(c.jpeg); got != c.want {
			t.Errorf("%s: %d scans, want %d", c.name, got, c.want)
		}
	}
}
