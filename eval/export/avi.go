package export

import (
	"encoding/binary"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// avi writes a clip as a Motion JPEG AVI. The frames' bytes are copied
// unchanged; the headers state how many there are, so that readers take exactly
// these. It plays at the rate at which the frames were sampled.
func avi(c topics.Clip) []byte {
	largest, total := 0, 0
	for _, f := range c.Frames {
		largest, total = max(largest, len(f.JPEG)), total+len(f.JPEG)
	}
	out := make([]byte, 0, total+512)
	out = chunk(out, "RIFF", "AVI ", func(b []byte) []byte {
		b = chunk(b, "LIST", "hdrl", func(b []byte) []byte {
			b = chunk(b, "avih", "", func(b []byte) []byte { return mainHeader(b, c, largest) })
			return chunk(b, "LIST", "strl", func(b []byte) []byte {
				b = chunk(b, "strh", "", func(b []byte) []byte { return streamHeader(b, c, largest) })
				return chunk(b, "strf", "", func(b []byte) []byte { return bitmapHeader(b, c) })
			})
		})
		var index []byte
		offset := uint32(4) // of a chunk, counted from the list's type
		b = chunk(b, "LIST", "movi", func(b []byte) []byte {
			for _, f := range c.Frames {
				const keyFrame = 0x10
				index = append(index, "00dc"...)
				index = words(index, keyFrame, offset, uint32(len(f.JPEG)))
				offset += 8 + uint32(len(f.JPEG)+len(f.JPEG)%2)
				b = chunk(b, "00dc", "", func(b []byte) []byte { return append(b, f.JPEG...) })
			}
			return b
		})
		return chunk(b, "idx1", "", func(b []byte) []byte { return append(b, index...) })
	})
	return out
}

// chunk appends a RIFF chunk, or a list if kind is not empty, padded to an even
// length.
func chunk(b []byte, id, kind string, fill func([]byte) []byte) []byte {
	b = append(b, id...)
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = fill(append(b, kind...))
	size := len(b) - at - 4
	binary.LittleEndian.PutUint32(b[at:], uint32(size))
	if size%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func words(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// mainHeader appends an AVIMAINHEADER.
func mainHeader(b []byte, c topics.Clip, largest int) []byte {
	const hasIndex = 0x10
	frame := uint32((c.Window / time.Duration(len(c.Frames))).Microseconds())
	return words(b, frame, 0, 0, hasIndex, uint32(len(c.Frames)), 0, 1, uint32(largest),
		uint32(c.Width), uint32(c.Height), 0, 0, 0, 0)
}

// streamHeader appends an AVISTREAMHEADER. Its rate is frames per window.
func streamHeader(b []byte, c topics.Clip, largest int) []byte {
	b = append(b, "vidsMJPG"...)
	scale, rate := uint32(max(1, c.Window.Microseconds())), uint32(len(c.Frames))*1e6
	b = words(b, 0, 0, 0, scale, rate, 0, uint32(len(c.Frames)), uint32(largest), 0xffffffff, 0)
	for _, side := range []int{0, 0, c.Width, c.Height} {
		b = binary.LittleEndian.AppendUint16(b, uint16(side))
	}
	return b
}

// bitmapHeader appends a BITMAPINFOHEADER.
func bitmapHeader(b []byte, c topics.Clip) []byte {
	const size, planes, bits = 40, 1, 24
	b = words(b, size, uint32(c.Width), uint32(c.Height), planes|bits<<16)
	b = append(b, "MJPG"...)
	return words(b, uint32(3*c.Width*c.Height), 0, 0, 0, 0)
}
