package jpeg

import (
	stdbytes "bytes"
	"encoding/binary"
)

// Markers of JPEG (ITU-T T.81, table B.1), without their 0xFF.
const (
	markerTemporary  = 0x01
	markerRestart0   = 0xD0
	markerStartImage = 0xD8
	markerEndImage   = 0xD9
	markerStartScan  = 0xDA
)

// scans counts the scans of a JPEG by its markers alone. Each is a pass of the
// decoder over the whole picture, however few bytes it has.
func scans(jpeg []byte) int {
	n := 0
	for at := 0; ; {
		next := stdbytes.IndexByte(jpeg[at:], 0xFF)
		if at += next; next < 0 || at+4 > len(jpeg) {
			return n
		}
		switch m := jpeg[at+1]; {
		case m == 0xFF: // padding before a marker
			at++
		case m == 0, m == markerTemporary, markerRestart0 <= m && m <= markerStartImage:
			at += 2 // no segment follows
		case m == markerEndImage:
			return n
		default:
			if m == markerStartScan {
				n++
			}
			// At least the two bytes of the length itself.
			at += 2 + max(int(binary.BigEndian.Uint16(jpeg[at+2:])), 2)
			if at > len(jpeg) {
				return n
			}
		}
	}
}
