package froster

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/x448/float16"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// patch mixes the weights of the CLIP that was fine-tuned into those of the fine-tuned
// model, as Open-VCLIP does (Weng et al. 2023, arXiv:2302.00624, its tools/test_net.py at
// TEST.PATCHING_MODEL): each tensor of CLIP's times the ratio, and the fine-tuned one
// times what is left of 1. Tensors that CLIP has not stay as they are. The source that it
// returns has the files of both, also after an error.
func (o ImportOptions) patch(tuned source) (source, error) {
	if o.PatchRatio < 0 || o.PatchRatio > 1 || math.IsNaN(o.PatchRatio) {
		return tuned, fmt.Errorf("patch: a ratio of %v: want 0 (the fine-tuned model alone) to 1 (CLIP's weights)", o.PatchRatio)
	}
	clip, err := readWeights(o.PatchWith, "")
	if err != nil {
		return tuned, fmt.Errorf("patch: %w", err)
	}
	tuned.files = append(tuned.files, clip.files...)
	whole, err := dimsOf(clip.weights)
	if err == nil {
		err = whole.bounds()
	}
	if err == nil {
		err = whole.check(clip.weights)
	}
	if err != nil {
		return tuned, fmt.Errorf("patch with %s: %w", o.PatchWith, err)
	}
	if clip.activation != tuned.activation {
		return tuned, fmt.Errorf("patch with %s: its activation is %s, that of %s is %s: it is not what was fine-tuned", o.PatchWith, clip.activation, o.Checkpoint, tuned.activation)
	}
	mixed := maps.Clone(tuned.weights)
	for _, name := range slices.Sorted(maps.Keys(clip.weights)) {
		own, has := tuned.weights[name]
		if theirs := clip.weights[name]; !has || !slices.Equal(own.Shape, theirs.Shape) {
			return tuned, fmt.Errorf("patch with %s: its %s has the shape %v, which %s has not: it is not what was fine-tuned", o.PatchWith, name, theirs.Shape, o.Checkpoint)
		}
		mixed[name] = mix(clip.weights[name], own, o.PatchRatio)
	}
	tuned.weights = mixed
	if clip.licence != tuned.licence {
		tuned.licence += "; and " + clip.licence // both bind whoever uses the mixture
	}
	tuned.notes = append(slices.Clone(tuned.notes), fmt.Sprintf("%v of its weights are those of %s, as Open-VCLIP patches a model", o.PatchRatio, filepath.Base(o.PatchWith)))
	return tuned, nil
}

// mix is a·ratio + b·(1-ratio) by the arithmetic of PyTorch: a product has the precision
// of its tensor, the sum the higher of both.
func mix(a, b checkpoint.Tensor, ratio float64) checkpoint.Tensor {
	out := checkpoint.Later(a.Shape, func() ([]float32, error) {
		va, err := a.Values()
		if err != nil {
			return nil, err
		}
		vb, err := b.Values()
		if err != nil {
			return nil, err
		}
		of := make([]float32, len(va))
		for i := range of {
			of[i] = round(va[i]*float32(ratio), a.Half) + round(vb[i]*float32(1-ratio), b.Half)
			of[i] = round(of[i], a.Half && b.Half)
		}
		return of, nil
	})
	out.Half = a.Half && b.Half
	return out
}

func round(v float32, half bool) float32 {
	if !half {
		return v
	}
	return float16.Fromfloat32(v).Float32()
}
