package camsim

import (
	"encoding/binary"
	"slices"
)

// turnUnit is a NAL unit that tells decoders how the pictures of a file are turned: the
// SEI message "display orientation" (ITU-T H.264, D.1.27; H.265, D.2.17). RTSP has no
// other place for the matrix of the file's container. nil: they are not turned, or at
// another angle than a right one.
func turnUnit(matrix []byte, h265 bool) []byte {
	if len(matrix) < 9*4 {
		return nil
	}
	var m [5]int
	for i := range m {
		v := int32(binary.NativeEndian.Uint32(matrix[4*i:]))
		m[i] = min(max(int(v), -1), 1)
	}
	// The message mirrors first, then rotates.
	mirrored := m[0]*m[4]-m[1]*m[3] < 0
	if mirrored {
		m[0], m[1] = -m[0], -m[1]
	}
	quarters := -1 // against the clock
	switch [4]int{m[0], m[1], m[3], m[4]} {
	case [4]int{1, 0, 0, 1}:
		quarters = 0
	case [4]int{0, -1, 1, 0}:
		quarters = 1
	case [4]int{-1, 0, 0, -1}:
		quarters = 2
	case [4]int{0, 1, -1, 0}:
		quarters = 3
	}
	if quarters < 0 || quarters == 0 && !mirrored {
		return nil
	}
	// cancel 0, hor_flip, ver_flip 0, 16 bits of a turn's 65,536ths.
	first := byte(quarters << 3)
	if mirrored {
		first |= 0x40
	}
	const orientation = 47
	if h265 {
		// persistence 1, then to a whole byte; the trailing bits.
		return []byte{39 << 1, 1, orientation, 3, first, 0, 0x18, 0x80}
	}
	// repetition_period 1, extension 0, then to a whole byte; the trailing bits.
	return []byte{6, orientation, 3, first, 0, 0x09, 0x80}
}

// turned puts the file's turn before the first slice of a picture.
func (f *file) turned(nals [][]byte) [][]byte {
	for i, n := range nals {
		if len(n) == 0 {
			continue
		}
		slice := n[0]&31 >= 1 && n[0]&31 <= 5
		if f.h265 {
			slice = n[0]>>1&63 < 32
		}
		if slice {
			return slices.Insert(slices.Clone(nals), i, f.turn)
		}
	}
	return nals
}
