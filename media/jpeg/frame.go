package jpeg

import (
	"fmt"

	"github.com/frostwatch/frostwatch/topics"
)

// maxFrameScans bounds how often the decoder goes over one picture: ours have one
// scan, an ordinary progressive JPEG has ten, and a made-up one thousands.
const maxFrameScans = 16

// Frame decodes a JPEG to packed RGB, [height, width, 3], where it is the size
// that its clip says and topics.CheckFrameSize allows; memory is taken only
// then. The result uses buffer's memory where that is large enough.
func (d *Decoder) Frame(jpeg []byte, width, height int, buffer []byte) ([]byte, error) {
	w, h, err := d.Size(jpeg)
	switch {
	case err != nil:
		return nil, err
	case w != width || h != height:
		return nil, fmt.Errorf("JPEG of %dx%d in a clip of %dx%d", w, h, width, height)
	}
	if err := topics.CheckFrameSize(w, h); err != nil {
		return nil, fmt.Errorf("read JPEG: %w", err)
	}
	if n := scans(jpeg); n > maxFrameScans {
		return nil, fmt.Errorf("JPEG of %d scans: at most %d", n, maxFrameScans)
	}
	if size := 3 * w * h; cap(buffer) < size {
		buffer = make([]byte, size)
	}
	rgb := buffer[:3*w*h]
	return rgb, d.Decode(jpeg, rgb, w, h)
}
