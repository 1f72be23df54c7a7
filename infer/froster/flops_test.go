package froster

import (
	"testing"
	"time"
)

// ViT-B/16's dimensions as OpenAI published them.
func vitB16() Dims {
	return Dims{ImageSize: 224, PatchSize: 16, VisionWidth: 768, VisionLayers: 12, VisionHeads: 12, EmbedDim: 512, Frames: 8}
}

func TestFLOPsOfAClip(t *testing.T) {
	// Worked out by hand: 8 frames of 197 tokens, 1576 rows. A block's linear
	// layers are 12·768² multiplications a row, its attention 2·768·591 for each
	// row; of the last, 2·768² for each row and for 8 rows the rest.
	rows, square := 1576.0, 768.0*768.0
	want := 2 * (8*196*768*768 + // patches: 16·16·3 = 768 inputs
		11*rows*(12*square+2*768*591) +
		rows*2*square + 8*(10*square+2*768*591) +
		8*768*512)
	if got := vitB16().ClipFLOPs(); got < want*0.999999 || got > want*1.000001 {
		t.Errorf("%.6g, want %.6g", got, want)
	}
}

func TestMatMulRateIsARate(t *testing.T) {
	rt := openRuntime(t)
	d := Dims{ImageSize: 32, PatchSize: 16, VisionWidth: 128, Frames: 8}
	for _, p := range []Precision{Float32, Float16, Int8} {
		rate, err := rt.MatMulRate(t.Context(), d, p, 8, 20*time.Millisecond)
		// From a crawl to far beyond any processor.
		if err != nil || rate < 1e6 || rate > 1e15 {
			t.Errorf("%s: %v FLOP/s, %v", p, rate, err)
		}
	}
}
