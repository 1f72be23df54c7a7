package froster

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/cpu"
)

// Precision is the number format in which a bundle's video tower computes. The
// text tower is float32 on a processor, because each label is embedded only
// once.
type Precision string

// The precisions.
const (
	Float32 Precision = "float32"
	// Float16 halves the size of weights and activations; it is for GPUs. On a
	// processor it is slower than Float32.
	Float16 Precision = "float16"
	// Int8 stores the linear layers' weights as bytes with a scale for each
	// output. The layers' inputs are converted to bytes at run time, with a
	// scale for each clip.
	Int8 Precision = "int8"
)

func (p Precision) check() error {
	switch p {
	case Float32, Float16, Int8:
		return nil
	}
	if p == "bfloat16" {
		return errors.New("precision bfloat16: ONNX Runtime 1.31 multiplies such matrices on ARM only; use int8, which runs on AMX if the processor has it")
	}
	return fmt.Errorf("precision %q: want %s, %s or %s", string(p), Float32, Float16, Int8)
}

// Servable returns an error if this processor should not run the precision.
func (p Precision) Servable(provider string) error {
	switch {
	case p != Int8:
		return nil
	case provider != "" && provider != "cpu":
		return fmt.Errorf("precision int8 is for processors, not for %s: import the checkpoint in float16", provider)
	case runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI:
		// Without VNNI, ONNX Runtime multiplies with VPMADDUBSW, whose 16-bit
		// sums saturate: the results would be wrong, not just slow.
		return fmt.Errorf("precision int8 needs a processor with VNNI, which this one lacks: import the checkpoint in float32")
	}
	return nil
}
