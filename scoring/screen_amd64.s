#include "textflag.h"

// func dots4(out *[5]float32, clip *byte, vectors *float32, n int)
TEXT ·dots4(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DI
	MOVQ clip+8(FP), SI
	MOVQ vectors+16(FP), R8
	MOVQ n+24(FP), CX
	LEAQ (R8)(CX*4), R9
	LEAQ (R9)(CX*4), R10
	LEAQ (R10)(CX*4), R11
	XORQ AX, AX

	// Two sums for each of the four vectors and the clip: an addition takes longer
	// than the next one may wait.
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9

loop:
	VCVTPH2PS   (SI), Y10
	VCVTPH2PS   16(SI), Y11
	VFMADD231PS (R8)(AX*1), Y10, Y0
	VFMADD231PS (R9)(AX*1), Y10, Y1
	VFMADD231PS (R10)(AX*1), Y10, Y2
	VFMADD231PS (R11)(AX*1), Y10, Y3
	VFMADD231PS Y10, Y10, Y4
	VFMADD231PS 32(R8)(AX*1), Y11, Y5
	VFMADD231PS 32(R9)(AX*1), Y11, Y6
	VFMADD231PS 32(R10)(AX*1), Y11, Y7
	VFMADD231PS 32(R11)(AX*1), Y11, Y8
	VFMADD231PS Y11, Y11, Y9
	ADDQ        $32, SI
	ADDQ        $64, AX
	SUBQ        $16, CX
	JG          loop

	VADDPS Y5, Y0, Y0
	VADDPS Y6, Y1, Y1
	VADDPS Y7, Y2, Y2
	VADDPS Y8, Y3, Y3
	VADDPS Y9, Y4, Y4

	VHADDPS      Y1, Y0, Y0
	VHADDPS      Y3, Y2, Y2
	VHADDPS      Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VMOVUPS      X0, (DI)

	VHADDPS      Y4, Y4, Y4
	VHADDPS      Y4, Y4, Y4
	VEXTRACTF128 $1, Y4, X5
	VADDSS       X5, X4, X4
	VMOVSS       X4, 16(DI)
	VZEROUPPER
	RET
