package topics

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/x448/float16"
	"gonum.org/v1/gonum/blas/gonum"
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

// Each of the 65,536 values is read as the same number by the processor's
// instruction and without it, wherever in a vector it is.
func TestReadFloat16ReadsEveryValue(t *testing.T) {
	raw := make([]byte, 0, 1<<17)
	for i := range 1 << 16 {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(i))
	}
	for _, n := range []int{1 << 16, 1<<16 - 1, 1<<16 - 15, 17, 16, 15, 1, 0} {
		got := make([]float32, n)
		ReadFloat16(got, raw)
		for i, v := range got {
			want := float16.Frombits(uint16(i)).Float32()
			if v != want && !(math.IsNaN(float64(v)) && math.IsNaN(float64(want))) {
				t.Fatalf("of %d values, bits %04x are %v, want %v", n, i, v, want)
			}
		}
	}
}

// A clip's embedding is read, and compared with a text, as it is when the archive is
// searched; beside it the plain loop over the same bytes.
func BenchmarkReadFloat16(b *testing.B) {
	const clips, dims = 32_768, 512 // 32 MB: more than the processor's caches
	random := rand.New(rand.NewPCG(1, 1))
	values := make([]float32, clips*dims)
	for i := range values {
		values[i] = float32(random.NormFloat64() / math.Sqrt(dims))
	}
	raw, text, clip := AppendFloat16(nil, values), values[:dims], make([]float32, dims)
	same := make([]byte, 2*dims)
	var sum float32
	for name, similarity := range map[string]func(raw []byte) float32{
		"plain loop": func(raw []byte) (s float32) {
			for i, v := range text {
				s += v * float16.Frombits(binary.LittleEndian.Uint16(raw[2*i:])).Float32()
			}
			return s
		},
		"read alone": func(raw []byte) float32 { ReadFloat16(clip, raw); return clip[0] },
		"read and dot product": func(raw []byte) float32 {
			ReadFloat16(clip, raw)
			return gonum.Implementation{}.Sdot(dims, clip, 1, text, 1)
		},
		"copying the bytes": func(raw []byte) float32 { return float32(copy(same, raw)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				for i := range clips {
					sum += similarity(raw[2*dims*i : 2*dims*(i+1)])
				}
			}
			b.ReportMetric(float64(clips*b.N)/b.Elapsed().Seconds(), "clips/s")
		})
	}
	_ = sum
}
