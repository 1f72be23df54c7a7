package scoring

import "golang.org/x/sys/cpu"

// canScreen is whether dots4 works for embeddings of a length.
func canScreen(dim int) bool {
	return dim > 0 && dim%16 == 0 && cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C
}

// dots4 computes the dot products of a clip, n values of float16, with four vectors of n
// values that follow each other, and with itself. n is a multiple of 16.
//
//go:noescape
func dots4(out *[5]float32, clip *byte, vectors *float32, n int)
