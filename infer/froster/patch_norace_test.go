//go:build !race

package froster

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// The values are what PyTorch 2 computes for clip*0.3 + tuned*(1-0.3), which is Open-VCLIP's
// line. Whole checkpoints that it patched, at 0, 0.3, 0.5 and 1, gave the same model ids.
func TestWeightsAreMixedAsOpenVCLIPDoes(t *testing.T) {
	clip := checkpoint.Tensor{Shape: []int{3}, Data: []float32{0.0999755859375, 1.5, -3.30078125}, Half: true}
	for _, c := range []struct {
		tuned, want []float32
		half        bool
	}{
		{[]float32{0.2, -0.7, 0.031}, []float32{0.16999877989292145, -0.040048807859420776, -0.9685343503952026}, false},
		{[]float32{0.199951171875, -0.7001953125, 0.031005859375}, []float32{0.1700439453125, -0.040283203125, -0.96875}, true},
	} {
		got, err := mix(clip, checkpoint.Tensor{Shape: []int{3}, Data: c.tuned, Half: c.half}, 0.3).Values()
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", err, got, c.want)
		}
	}
}

func TestAModelIsPatchedWithWhatWasFineTuned(t *testing.T) {
	tuned, clip := gunzip(t, "parity", "tiny_froster.pth.gz"), gunzip(t, "parity", "tiny_clip.pt.gz")
	// The id is a hash of all values: it is that of the checkpoint that PyTorch mixed.
	const want = "c6d7db89ca5d2cdeb0993adf"
	patched := importBundle(t, ImportOptions{Checkpoint: tuned, PatchWith: clip, PatchRatio: 0.5})
	if patched.ID != want || !strings.Contains(strings.Join(patched.Notes, "\n"), "0.5 of its weights are those of "+filepath.Base(clip)+", as") || !strings.Contains(patched.Licence, "not for commercial use); and MIT") {
		t.Errorf("id %s, want %s; licence %s; notes %q", patched.ID, want, patched.Licence, patched.Notes)
	}
	for _, c := range []struct {
		o    ImportOptions
		want string
	}{
		{ImportOptions{Checkpoint: tuned, PatchWith: clip, PatchRatio: math.NaN()}, "want 0 (the fine-tuned model alone) to 1"},
		{ImportOptions{Checkpoint: tuned, PatchWith: clip, PatchRatio: 1.01}, "want 0 (the fine-tuned model alone) to 1"},
		{ImportOptions{Checkpoint: tuned, PatchWith: filepath.Join(t.TempDir(), "none.pt"), PatchRatio: 0.5}, "none.pt"},
		{ImportOptions{Checkpoint: shared.Path(t, "model", "frost-mini.pth"), PatchWith: clip, PatchRatio: 0.5}, "it is not what was fine-tuned"},
	} {
		c.o.Out = filepath.Join(t.TempDir(), "out")
		if _, err := Import(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		if _, err := os.Stat(c.o.Out); err == nil {
			t.Error("a model was written")
		}
	}
}
