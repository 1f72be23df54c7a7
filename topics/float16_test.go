package topics

import (
	"math"
	"testing"
)

// there is v after it was written to a record and read back.
func there(t *testing.T, v float32) float32 {
	t.Helper()
	text, err := Float16Vector{v}.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var out Float16Vector
	if err := out.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func TestFloat16KeepsElevenBits(t *testing.T) {
	for _, c := range []struct{ in, want float32 }{
		{0, 0}, {1, 1}, {-2.5, -2.5}, {65504, 65504}, {65520, float32(math.Inf(1))},
		{1.0 / (1 << 24), 1.0 / (1 << 24)}, {1.0 / (1 << 26), 0}, {0x1p-14, 0x1p-14},
		{1 + 1.0/2048, 1}, {1 + 3.0/2048, 1 + 2.0/1024}, // ties go to even
		{2049, 2048}, {-1 - 1.0/1024, -1 - 1.0/1024},
	} {
		if got := there(t, c.in); got != c.want {
			t.Errorf("%v came back as %v, want %v", c.in, got, c.want)
		}
	}
	if got := there(t, float32(math.NaN())); !math.IsNaN(float64(got)) {
		t.Errorf("NaN came back as %v", got)
	}
}
