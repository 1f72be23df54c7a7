package topics

import "golang.org/x/sys/cpu"

// widenF16C converts n values, a multiple of 16 and at least 16, by the processor's
// own instruction.
//
//go:noescape
func widenF16C(to *float32, from *byte, n int)

// widen converts as many of the first values as the processor does by itself, and
// returns how many. from has 2·len(to) bytes.
func widen(to []float32, from []byte) int {
	n := len(to) &^ 15
	if n == 0 || !cpu.X86.HasAVX || !cpu.X86.HasF16C {
		return 0
	}
	widenF16C(&to[0], &from[0], n)
	return n
}
