package export

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/internal/turbojpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// clipFrames is how many frames FROSTER sees, and training takes for a clip.
const clipFrames = 8

const (
	maxFramePixels = 4 << 20 // as infer takes
	// maxWindow keeps the rate of a file in its 32 bits.
	maxWindow = time.Hour
)

// frameChecker tells whether a clip's frames can be decoded, by the decoder that
// recognises them. It serves one goroutine.
type frameChecker struct {
	jpeg *turbojpeg.Decoder
	rgb  []byte
}

func newFrameChecker() (*frameChecker, error) {
	d, err := turbojpeg.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &frameChecker{jpeg: d}, nil
}

func (f *frameChecker) close() { f.jpeg.Close() }

func (f *frameChecker) check(c topics.Clip) error {
	if len(c.Frames) != clipFrames {
		return fmt.Errorf("clip of %d frames: training takes %d", len(c.Frames), clipFrames)
	}
	if c.Window > maxWindow {
		return fmt.Errorf("clip of %v: longer than %v", c.Window, maxWindow)
	}
	if c.Width*c.Height > maxFramePixels {
		return fmt.Errorf("frames of %dx%d: more than %d pixels", c.Width, c.Height, maxFramePixels)
	}
	for i, frame := range c.Frames {
		if err := f.decode(frame.JPEG, c.Width, c.Height); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
	}
	return nil
}

func (f *frameChecker) decode(jpeg []byte, width, height int) error {
	w, h, err := f.jpeg.Size(jpeg)
	if err != nil {
		return err
	}
	if w != width || h != height {
		return fmt.Errorf("JPEG of %dx%d in a clip of %dx%d", w, h, width, height)
	}
	if size := 3 * w * h; cap(f.rgb) < size {
		f.rgb = make([]byte, size)
	}
	return f.jpeg.Decode(jpeg, f.rgb[:3*w*h], w, h)
}
