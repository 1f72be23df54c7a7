package froster

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/cpu"
)

// Precision is how a bundle's video tower computes. The text tower is float32
// on a processor: labels are embedded once.
type Precision string

// Precisions.
const (
	Float32 Precision = "float32"
	// Float16 halves weights and activations, for GPUs. A processor computes it
	// slower than Float32.
	Float16 Precision = "float16"
	// Int8 has the linear layers' weights as bytes with a scale for each output,
	// and brings their inputs to bytes with a scale for each clip as it comes.
	Int8 Precision = "int8"
)

func (p Precision) check() error {
	switch p {
	case Float32, Float16, Int8:
		return nil
	}
	if p == "bfloat16" {
		return errors.New("precision bfloat16: ONNX Runtime 1.31 multiplies such matrices on ARM alone; int8 uses AMX where the processor has it")
	}
	return fmt.Errorf("precision %q: want %s, %s or %s", string(p), Float32, Float16, Int8)
}

// Servable says why this processor should not run a precision.
func (p Precision) Servable(provider string) error {
	switch {
	case p != Int8:
		return nil
	case provider != "" && provider != "cpu":
		return fmt.Errorf("precision int8 is for processors, not for %s: import the checkpoint with --precision float16", provider)
	case runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI:
		// Without VNNI ONNX Runtime multiplies by VPMADDUBSW, whose 16-bit sums
		// saturate: wrong results, not slow ones.
		return fmt.Errorf("precision int8 needs a processor with VNNI, which this one lacks: import the checkpoint with --precision float32")
	}
	return nil
}
